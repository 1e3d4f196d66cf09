-- Where a stream of the run begins and ends. ARGV: its name among the positions.
local name = take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'next:' .. name)
if not is_there(f[1], f[2], at) then
  return absent(at)
end
return {NONCE, 'extent', f[1], redis.call('HGET', BASE, name) or '0', f[3] or '0'}
