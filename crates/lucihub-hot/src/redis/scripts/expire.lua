-- Lets a sealed run leave. ARGV: after how many microseconds.
local after = take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'seal')
if not is_there(f[1], f[2], at) or not f[3] then
  return {NONCE, 'open'}
end
local leaves = later(at, after)
redis.call('HSET', RUN, 'leaves', leaves)
for _, key in ipairs(all_keys()) do
  redis.call('PEXPIREAT', key, frees(leaves))
end
return {NONCE, 'expires'}
