-- Says what is safe in cold storage: it only grows, and never past what was applied. ARGV: positions.
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
local grew = false
for n = 1, tonumber(take()) / 2 do
  local name, safe = take(), take()
  local most = redis.call('HGET', RUN, 'next:' .. name)
  if most then
    if tonumber(safe) > tonumber(most) then
      safe = most
    end
    if tonumber(safe) > tonumber(redis.call('HGET', CONFIRMED, name) or 0) then
      redis.call('HSET', CONFIRMED, name, safe)
      grew = true
    end
  end
end
if grew then
  redis.call('HSET', RUN, 'confirmed_rev', revision(at))
  if f[2] then
    redis.call('PEXPIREAT', CONFIRMED, frees(f[2]))
  end
  wake()
end
return {NONCE, 'positions', redis.call('HGETALL', CONFIRMED)}
