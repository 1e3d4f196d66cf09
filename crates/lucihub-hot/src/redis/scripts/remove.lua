-- Removes the run and leaves a tombstone. ARGV: '1' to do so under a living lease too, microseconds it stands.
local force, stands = take(), take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'seal', 'mark', 'worker', 'lease_until', 'changed_at')
if is_there(f[1], f[2], at) and force ~= '1' and not f[3] and f[4] and tonumber(f[6]) > at then
  return {NONCE, 'held', f[5], f[6], digits(at - f[7])}
end
local ends = at + stands
local standing = redis.call('GET', GONE)
if standing and tonumber(standing) > ends then
  ends = tonumber(standing)
end
purge()
redis.call('SET', GONE, digits(ends), 'PXAT', digits((ends - SHIFT) / 1000 + 1000))
wake()
return {NONCE, 'removed'}
