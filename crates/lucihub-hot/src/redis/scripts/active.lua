-- The active devices, or one of them. ARGV: the stem of their keys, one id (empty: all).
local at = now()
local ids = ARGV[4] == '' and redis.call('SMEMBERS', ALL) or {ARGV[4]}
local devices = {}
for _, id in ipairs(ids) do
  local fields = redis.call('HGETALL', ARGV[3] .. id)
  local named = {}
  for n = 1, #fields, 2 do
    named[fields[n]] = fields[n + 1]
  end
  if is_active(named['since'], named['until'], at) then
    devices[#devices + 1] = {id, fields}
  end
end
return {NONCE, 'devices', devices}
