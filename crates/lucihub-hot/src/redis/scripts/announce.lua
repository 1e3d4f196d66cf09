-- Makes a device active. KEYS[2]: the device. ARGV: id, scanner, lease in microseconds (empty: until withdrawn), then
-- names and values of its fields.
local id, scanner, lease = ARGV[3], ARGV[4], ARGV[5]
local at = now()
local f = redis.call('HMGET', KEYS[2], 'since', 'until', 'scanner')
local since = digits(at)
if is_active(f[1], f[2], at) then
  if f[3] ~= scanner then
    return {NONCE, 'held', f[3], f[2]}
  end
  since = f[1]
end
local ends = lease == '' and '' or digits(at + lease)
-- The first write, so that a server without room refuses all of it.
redis.call('HSET', KEYS[2], 'since', since, 'until', ends, 'scanner', scanner, 'seen_at', digits(at),
  unpack(ARGV, 6))
for _, optional in ipairs({'firmware', 'entity'}) do
  local given = false
  for n = 6, #ARGV, 2 do
    given = given or ARGV[n] == optional
  end
  if not given then
    redis.call('HDEL', KEYS[2], optional)
  end
end
redis.call('SADD', ALL, id)
if ends == '' then
  redis.call('PERSIST', KEYS[2])
else
  redis.call('PEXPIREAT', KEYS[2], digits((ends - SHIFT) / 1000 + 1000))
end
return {NONCE, 'active'}
