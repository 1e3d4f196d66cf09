-- Stream entries that touch a range. KEYS[12]: the stream. ARGV: its name among the positions, the first position
-- wanted, the id after which to read on (empty at first), the last position wanted, bytes after which to stop.
local name, first, after, last, most = take(), take(), take(), take(), tonumber(take())
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'next:' .. name)
if not is_there(f[1], f[2], at) then
  return absent(at)
end
local stream = KEYS[12]
local base, next = redis.call('HGET', BASE, name) or '0', f[3] or '0'
local entries, size = {}, 0
if after == '' then
  local from = tonumber(first)
  if from < tonumber(base) then
    from = tonumber(base)
  end
  after = digits(from) .. '-0'
end
-- An entry bears the position behind its last one, so the one that holds `last` may be the first past it.
local done = tonumber(string.match(after, '^%d+')) >= tonumber(last)
while not done and size < most do
  local part = redis.call('XRANGE', stream, '(' .. after, '+', 'COUNT', 16)
  done = #part < 16
  for _, entry in ipairs(part) do
    entries[#entries + 1] = {entry[1], entry[2][2]}
    size = size + #entry[2][2]
    after = entry[1]
    if tonumber(string.match(after, '^%d+')) >= tonumber(last) then
      done = true
      break
    end
  end
end
return {NONCE, 'entries', f[1], base, next, done and '1' or '', entries}
