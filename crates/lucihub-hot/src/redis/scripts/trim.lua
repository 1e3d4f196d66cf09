-- Lets whole blocks leave that lie below these positions and are confirmed. ARGV: positions of lines and channels.
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
local stem = string.sub(RUN, 1, -4)
local left = false
for n = 1, tonumber(take()) / 2 do
  local name, below = take(), tonumber(take())
  local safe = tonumber(redis.call('HGET', CONFIRMED, name) or 0)
  if safe < below then
    below = safe
  end
  if below > 0 then
    local stream = name == 'lines' and LOG or stem .. 's:' .. name
    local last = redis.call('XREVRANGE', stream, digits(below) .. '-0', '-', 'COUNT', 1)[1]
    if last then
      redis.call('XTRIM', stream, 'MINID', digits(below + 1) .. '-0')
      redis.call('HSET', BASE, name, string.match(last[1], '^%d+'))
      left = true
    end
  end
end
if left then
  if f[2] then
    redis.call('PEXPIREAT', BASE, frees(f[2]))
  end
  wake()
end
return {NONCE, 'positions', redis.call('HGETALL', BASE)}
