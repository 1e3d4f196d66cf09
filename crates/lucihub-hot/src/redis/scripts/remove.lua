-- Removes the run and leaves a tombstone. ARGV: '1' to do so under a living lease too, microseconds it stands.
local force, stands = take(), take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'seal', 'mark', 'worker', 'lease_until', 'changed_at')
if is_there(f[1], f[2], at) and force ~= '1' and not f[3] and f[4] and tonumber(f[6]) > at then
  return {NONCE, 'held', f[5], f[6], digits(math.max(0, at - f[7]))}
end
local ends = later(at, stands)
local standing = redis.call('GET', GONE)
if standing and tonumber(standing) > tonumber(ends) then
  ends = standing
end
purge()
redis.call('SET', GONE, ends, 'PXAT', frees(ends))
wake()
return {NONCE, 'removed'}
