-- Renews the writer's lease. ARGV: mark, lease in microseconds.
local mark, lease = take(), take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'mark', 'seal', 'cancel')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
if f[3] ~= mark then
  return {NONCE, 'fenced'}
end
if f[4] then
  return {NONCE, 'sealed', f[4]}
end
local ends = later(at, lease)
redis.call('HSET', RUN, 'lease_until', ends)
return {NONCE, 'until', ends, f[5] or '', redis.call('HGETALL', CONFIRMED)}
