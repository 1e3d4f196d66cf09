-- Ends a lease early. KEYS[2]: the device. ARGV: id, scanner.
local f = redis.call('HMGET', KEYS[2], 'since', 'until', 'scanner')
if not is_active(f[1], f[2], now()) or f[3] ~= ARGV[4] then
  return {NONCE, 'other'}
end
redis.call('DEL', KEYS[2])
redis.call('SREM', ALL, ARGV[3])
return {NONCE, 'withdrawn'}
