-- Writes a little, so that replicas and disk can be waited for, if the run has a batch. ARGV: mark, seq, '1' to write.
local mark, seq, act = take(), take(), take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'mark', 'tip')
if not is_there(f[1], f[2], at) or f[3] ~= mark or tonumber(last_seq(f[4])) < tonumber(seq) then
  return {NONCE, 'missing'}
end
if act == '1' then
  redis.call('HSET', RUN, 'secured', seq)
end
return {NONCE, 'has'}
