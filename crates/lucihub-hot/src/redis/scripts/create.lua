-- Places a run that is not there: a new one, or one that its writer puts back.
--
-- KEYS: the fixed ones, one per stream entry, and the streams of all channels that the head names.
-- ARGV: '1' to write, of a writer that puts its run back the mark and the number of its last batch, the new incarnation;
-- then fields of the run, positions (base, confirmed), fields of the head, four lists, stream entries, for a writer that
-- goes on its lease in microseconds, and a counted list of attachments: name, what is known, bytes.
local act, mark, last, incarnation = take(), take(), take(), take()
local at = now()
local f = redis.call('HMGET', RUN, 'incarnation', 'leaves', 'mark', 'seal', 'tip', 'cancel')
local is_older_copy = false
if is_there(f[1], f[2], at) then
  -- The same call may come twice, if the first one's reply was lost.
  if f[1] == incarnation then
    return {NONCE, 'created'}
  end
  is_older_copy = f[3] == mark and tonumber(last_seq(f[5])) < tonumber(last)
  if mark == '' or f[4] or f[3] and not is_older_copy then
    return {NONCE, 'existing'}
  end
end
local answer = absent(at)
if answer[2] == 'deleted' or act ~= '1' then
  return answer
end
for _, key in ipairs(all_keys()) do
  -- What came from others is not the writer's to put back.
  if not (is_older_copy and (key == ATTACHED or key == BYTES or key == EVENTS)) then
    redis.call('UNLINK', key)
  end
end
-- What a run that was lost left behind is known to nobody else.
for n = 15, #KEYS do
  redis.call('UNLINK', KEYS[n])
end
take_into('HSET', RUN)
take_into('HSET', BASE)
take_into('HSET', CONFIRMED)
take_into('HSET', HEAD)
take_into('RPUSH', STATES)
take_into('RPUSH', PHASES)
take_into('RPUSH', OVERLOADS)
take_into('RPUSH', FINALS)
take_entries()
local lease = take()
if lease ~= '' then
  redis.call('HSET', RUN, 'lease_until', later(at, lease))
end
for _ = 1, tonumber(take()) do
  local name, known, bytes = take(), take(), take()
  redis.call('HSET', BYTES, name, bytes)
  redis.call('HSET', ATTACHED, name, digits(at) .. ' ' .. known)
end
redis.call('HSET', RUN, 'incarnation', incarnation, 'changed_at', digits(at))
if is_older_copy and f[6] then
  redis.call('HSET', RUN, 'cancel', f[6])
end
wake()
return {NONCE, 'created'}
