-- What the law of `HotAppend::append` says of a batch before its content is looked at, in its order. Writes nothing.
--
-- ARGV: mark, seq, the number before it, the batch's digest, the slot of seq, which confirmed positions the caller has.
local mark, seq, before, digest, slot, known = take(), take(), take(), take(), take(), take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'mark', 'tip', slot, 'seal', 'cancel', 'confirmed_rev')
if not is_there(f[1], f[2], at) then
  return absent(at)
end

local function answer(code, detail)
  local confirmed = false
  if f[1] .. '.' .. f[8] ~= known then
    confirmed = redis.call('HGETALL', CONFIRMED)
  end
  return {NONCE, code, detail or '', f[7] or '', f[1] .. '.' .. f[8], confirmed}
end

if f[3] ~= mark then
  return answer('fenced')
end
local number = seq .. ':'
if f[5] and string.sub(f[5], 1, #number) == number then
  return answer(f[5] == number .. digest and 'duplicate' or 'conflict')
end
if f[6] then
  return answer('sealed', f[6])
end
local last = last_seq(f[4])
if last ~= before then
  return answer('behind', last)
end
return answer('passes')
