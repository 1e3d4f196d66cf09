-- Deletes an attachment that the worker did not put. ARGV: its name.
local name = take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
local before = redis.call('HGET', ATTACHED, name)
if not before or is_by_worker(before) then
  return {NONCE, 'kept'}
end
redis.call('HDEL', ATTACHED, name)
redis.call('HDEL', BYTES, name)
return {NONCE, 'detached'}
