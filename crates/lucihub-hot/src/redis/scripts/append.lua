-- Applies a batch whole, if the run is exactly what the batch was planned on; else writes nothing, and check.lua says
-- why. It does as little as it can: this is what a worker's samples cost.
--
-- KEYS: run, wake, then one per stream entry, then one per list.
-- ARGV: nonce, shift of the clock, the tip that the plan was made on, which confirmed positions the caller has, how
-- many stream entries, how many lists, how many fields of the run; then an id and a block per entry, the fields, and
-- per list a command, a count and its items.
local RUN, NONCE = KEYS[1], ARGV[1]
local f = redis.call('HMGET', RUN, 'tip', 'seal', 'leaves', 'cancel', 'incarnation', 'confirmed_rev')
if f[1] ~= ARGV[3] or f[2] or f[3] then
  return {NONCE, 'other'}
end
local time = redis.call('TIME')
local entries, lists, fields = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

-- A server without room refuses the first write, and nothing but that.
for n = 1, entries do
  local key, id, block = KEYS[n + 2], ARGV[2 * n + 6], ARGV[2 * n + 7]
  local added = redis.pcall('XADD', key, id, 'b', block)
  if type(added) == 'table' and added['err'] then
    if not string.find(added['err'], 'equal or smaller', 1, true) then
      return redis.error_reply(added['err'])
    end
    -- What lies past the run's marks does not exist: a script that failed half-way left it. It makes room. The stream is
    -- written anew, since newer servers keep an id that was once deleted as the least for all that follow.
    local reached = redis.call('HGET', RUN, 'next:' .. (string.match(key, ':s:(%d+)$') or 'lines')) or '0'
    local kept = redis.call('XRANGE', key, '-', reached .. '-0')
    redis.call('UNLINK', key)
    for _, entry in ipairs(kept) do
      redis.call('XADD', key, entry[1], unpack(entry[2]))
    end
    redis.call('XADD', key, id, 'b', block)
  end
end
local place = 2 * entries + 8
local marks = place
place = place + fields
for n = 1, lists do
  local command, left = ARGV[place], tonumber(ARGV[place + 1])
  place = place + 2
  while left > 0 do
    -- In parts, since `unpack` has a limit.
    local count = math.min(left, 1000)
    redis.call(command, KEYS[entries + 2 + n], unpack(ARGV, place, place + count - 1))
    place = place + count
    left = left - count
  end
end
-- The marks last: positions, then the tip and the slot that remembers the batch.
while fields > 1000 do
  redis.call('HSET', RUN, unpack(ARGV, marks, marks + 999))
  marks = marks + 1000
  fields = fields - 1000
end
redis.call('HSET', RUN, 'changed_at', string.format('%.0f', time[1] * 1000000 + time[2] + ARGV[2]),
  unpack(ARGV, marks, marks + fields - 1))
redis.call('SPUBLISH', KEYS[2], '')
if f[5] .. '.' .. f[6] == ARGV[4] then
  return {NONCE, 'applied', f[4] or ''}
end
return {NONCE, 'applied', f[4] or '', f[5] .. '.' .. f[6], redis.call('HGETALL', string.sub(RUN, 1, -4) .. 'confirmed')}
