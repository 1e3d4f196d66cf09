-- The run as it stands. ARGV: the head that the caller has.
local known = take()
local at = now()
local present = redis.call('HMGET', RUN, 'incarnation', 'leaves')
if not is_there(present[1], present[2], at) then
  return absent(at)
end
return snapshot(at, known)
