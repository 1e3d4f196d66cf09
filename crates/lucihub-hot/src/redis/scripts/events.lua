-- All store events.
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
return {NONCE, 'events', redis.call('HGETALL', EVENTS)}
