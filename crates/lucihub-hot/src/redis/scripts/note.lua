-- Adds store events. ARGV: how many are kept, and a counted list of ids and what is stored under each (events.rs).
local most = tonumber(take())
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
for _ = 1, tonumber(take()) do
  local id, stored = take(), take()
  redis.call('HSETNX', EVENTS, id, stored)
end
if #redis.call('HKEYS', EVENTS) > most then
  local all, oldest = redis.call('HGETALL', EVENTS), {}
  for n = 1, #all, 2 do
    -- The time stands first, with as many digits in every event.
    oldest[#oldest + 1] = {(string.match(all[n + 1], '^%d+') or '') .. all[n], all[n]}
  end
  table.sort(oldest, function(a, b) return a[1] < b[1] end)
  for n = 1, #oldest - most do
    redis.call('HDEL', EVENTS, oldest[n][2])
  end
end
-- A run that expires takes what it still learns with it.
if f[2] then
  redis.call('PEXPIREAT', EVENTS, frees(f[2]))
end
return {NONCE, 'noted'}
