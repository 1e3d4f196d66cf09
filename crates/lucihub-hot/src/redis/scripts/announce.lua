-- Makes a device active. KEYS[2]: the device. ARGV: id, scanner, lease in microseconds (empty: until withdrawn), then
-- names and values of its fields.
local id, scanner, lease = ARGV[3], ARGV[4], ARGV[5]
local at = now()
local f = redis.call('HMGET', KEYS[2], 'since', 'until', 'scanner', 'entity')
local since = digits(at)
if is_active(f[1], f[2], at) then
  if f[3] ~= scanner then
    return {NONCE, 'held', f[3], f[2]}
  end
  since = f[1]
end
local ends = lease == '' and '' or later(at, lease)
-- The first write, so that a server without room refuses all of it.
redis.call('HSET', KEYS[2], 'since', since, 'until', ends, 'scanner', scanner, 'seen_at', digits(at),
  unpack(ARGV, 6))
local given = {}
for n = 6, #ARGV, 2 do
  given[ARGV[n]] = ARGV[n + 1]
end
if not given['firmware'] then
  redis.call('HDEL', KEYS[2], 'firmware')
end
-- Whoever has an entity need not read it again while its revision stands.
if not given['entity'] then
  redis.call('HDEL', KEYS[2], 'entity', 'entity_rev')
elseif given['entity'] ~= f[4] then
  redis.call('HSET', KEYS[2], 'entity_rev', digits(at) .. '.' .. NONCE)
end
redis.call('SADD', ALL, id)
if ends == '' then
  redis.call('PERSIST', KEYS[2])
else
  redis.call('PEXPIREAT', KEYS[2], digits((ends - SHIFT) / 1000 + 1000))
end
return {NONCE, 'active'}
