-- Lets a sealed run leave. ARGV: after how many microseconds.
local after = take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'seal')
if not is_there(f[1], f[2], at) or not f[3] then
  return {NONCE, 'open'}
end
redis.call('HSET', RUN, 'leaves', digits(at + after))
-- The field decides; the server gives the memory back a second later, by its own clock.
local frees = digits((at - SHIFT + after) / 1000 + 1000)
for _, key in ipairs(all_keys()) do
  redis.call('PEXPIREAT', key, frees)
end
return {NONCE, 'expires'}
