-- Puts an attachment. ARGV: its name, the worker's mark or nothing, what is known of it, its size, its bytes, how many
-- attachments the run may have, of how many bytes together.
local name, mark, known, size, bytes, most, most_bytes = take(), take(), take(), take(), take(), take(), take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'mark', 'seal')
if not is_there(f[1], f[2], at) then
  return absent(at)
end
if mark ~= '' and f[3] ~= mark then
  return {NONCE, 'fenced'}
end
if f[4] then
  return {NONCE, 'sealed', f[4]}
end
local before = redis.call('HGET', ATTACHED, name)
if before then
  local created, same = string.match(before, '^(%d+) (.*)$')
  if same == known then
    return {NONCE, 'put', created}
  end
  if mark == '' and is_by_worker(before) then
    return {NONCE, 'worker'}
  end
end
local count, sum = 1, tonumber(size)
local all = redis.call('HGETALL', ATTACHED)
for n = 1, #all, 2 do
  if all[n] ~= name then
    count = count + 1
    sum = sum + string.match(all[n + 1], '^%d+ %x+ %d+ %a (%d+) ')
  end
end
if count > tonumber(most) or sum > tonumber(most_bytes) then
  return {NONCE, 'full', digits(count), digits(sum)}
end
redis.call('HSET', BYTES, name, bytes)
redis.call('HSET', ATTACHED, name, digits(at) .. ' ' .. known)
return {NONCE, 'put', digits(at)}
