-- Applies a batch whole, or says why not. The checks stand in the order of the law of `HotAppend::append`.
--
-- ARGV: mark, seq, the number before it, the batch's digest; the slots of seq and of the number before; the incarnation
-- and the last batch that the plan was made for; which confirmed positions the caller has; '1' to write. Then what is
-- written: stream entries, four lists, fields of the head, positions, the new state, the seal.
local mark, seq, before, digest = take(), take(), take(), take()
local slot, slot_before, incarnation, last, known, act = take(), take(), take(), take(), take(), take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'mark', 'seq', slot, slot_before, 'seal', 'cancel',
  'confirmed_rev')
if not is_there(f[1], f[2], at) then
  return absent(at)
end

local function answer(code, detail)
  local confirmed = false
  if f[1] .. '.' .. f[9] ~= known then
    confirmed = redis.call('HGETALL', CONFIRMED)
  end
  return {NONCE, code, detail or '', f[8] or '', f[1] .. '.' .. f[9], confirmed}
end

if f[3] == mark then
  local number = seq .. ':'
  if f[5] and string.sub(f[5], 1, #number) == number then
    return answer(f[5] == number .. digest and 'duplicate' or 'conflict')
  end
else
  return answer('fenced')
end
if f[7] then
  return answer('sealed', f[7])
end
if f[4] ~= before then
  return answer('behind', f[4])
end
-- The plan says what to write, and it was made from the run as it was after this very batch.
if f[1] ~= incarnation or (f[6] or '') ~= last then
  return answer('stale')
end
if act ~= '1' then
  return answer('checked')
end

-- Nothing is written above this line. A server without room refuses the first write below it, and nothing but that.
take_entries()
take_into('RPUSH', STATES)
take_into('RPUSH', PHASES)
take_into('RPUSH', OVERLOADS)
take_into('RPUSH', FINALS)
take_into('HSET', HEAD)
take_into('HSET', NEXT)
local state, seal, head_changed = take(), take(), take()
if state ~= '' then
  redis.call('HSET', RUN, 'state', state)
end
if seal ~= '' then
  redis.call('HSET', RUN, 'seal', seal)
end
if head_changed == '1' then
  redis.call('HINCRBY', RUN, 'head_rev', 1)
end
redis.call('HSET', RUN, 'seq', seq, slot, seq .. ':' .. digest, 'changed_at', digits(at))
wake()
return answer('applied')
