-- Asks for the run's end. ARGV: the change of state as JSON, for a run that ends here and now; empty at first, and then
-- the answer is the time that the change is to bear.
local change = take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'seal', 'ended_in_queue', 'cancel', 'state', 'mark',
  'lease_until')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
if f[4] then
  return {NONCE, 'cancelled'}
end
if f[3] then
  return {NONCE, 'ended', f[3]}
end
local held = f[7] and tonumber(f[8]) > at
if f[6] ~= 'queued' or held then
  if not f[5] then
    redis.call('HSET', RUN, 'cancel', 1, 'changed_at', digits(at))
    wake()
  end
  return {NONCE, 'requested'}
end
if change == '' then
  return {NONCE, 'when', digits(at)}
end
redis.call('RPUSH', STATES, change)
redis.call('HINCRBY', RUN, 'next:states', 1)
redis.call('HSET', RUN, 'head_rev', revision(at), 'cancel', 1, 'ended_in_queue', 1, 'state', 'cancelled',
  'seal', 'cancelled', 'changed_at', digits(at))
wake()
return {NONCE, 'cancelled'}
