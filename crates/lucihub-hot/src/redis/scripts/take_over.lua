-- Makes a worker the writer. ARGV: writer id, worker, the worker as JSON, lease in microseconds, the head that the
-- caller has, and the versions of heads that it can go on with.
local writer, worker, worker_json, lease, known, versions = take(), take(), take(), take(), take(), take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'mark', 'worker', 'lease_until', 'seal', 'ended_in_queue')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
local version = redis.call('HGET', RUN, 'version') or 'v2'
if not string.find(versions, ' ' .. version .. ' ', 1, true) then
  return {NONCE, 'newer', version}
end
if f[7] then
  return {NONCE, 'cancelled'}
end
if f[6] then
  return {NONCE, 'sealed', f[6]}
end
local holder, epoch
if f[3] then
  holder, epoch = string.match(f[3], '^(%x+)%.(%d+)$')
end
if holder ~= writer then
  if holder and tonumber(f[5]) > at then
    return {NONCE, 'held', f[4], f[5]}
  end
  epoch = digits((epoch or 0) + 1)
  redis.call('HDEL', RUN, 'd0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7')
  -- Where a batch would have its digest stands what no other take-over has: one that was lost and comes again begins
  -- elsewhere, maybe.
  redis.call('HSET', RUN, 'tip', f[1] .. '.' .. writer .. '.' .. epoch .. '.0.' .. NONCE)
end
redis.call('HSET', RUN, 'mark', writer .. '.' .. epoch, 'worker', worker, 'lease_until', later(at, lease),
  'changed_at', digits(at))
if redis.call('HGET', HEAD, 'worker') ~= worker_json then
  redis.call('HSET', HEAD, 'worker', worker_json)
  redis.call('HSET', RUN, 'head_rev', revision(at))
end
wake()
return snapshot(at, known)
