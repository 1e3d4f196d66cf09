-- One attachment. ARGV: its name.
local name = take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
return {NONCE, 'attachment', redis.call('HGET', ATTACHED, name), redis.call('HGET', BYTES, name)}
