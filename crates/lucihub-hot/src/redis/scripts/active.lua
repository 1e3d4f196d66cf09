-- Those of some devices that are active. KEYS[2..]: the devices. ARGV: per device, its name and the revision of the
-- entity that the caller has: that entity is left out, for it is the one large field.
local SMALL = {'since', 'until', 'type', 'firmware', 'scanner', 'seen_at', 'entity_rev'}
local at = now()
local devices, dead = {}, {}
for n = 2, #KEYS do
  local name, known = ARGV[2 * n - 1], ARGV[2 * n]
  local f = redis.call('HMGET', KEYS[n], unpack(SMALL))
  if is_active(f[1], f[2], at) then
    local fields = {}
    for place, field in ipairs(SMALL) do
      if f[place] then
        fields[#fields + 1] = field
        fields[#fields + 1] = f[place]
      end
    end
    if f[7] and f[7] ~= known then
      fields[#fields + 1] = 'entity'
      fields[#fields + 1] = redis.call('HGET', KEYS[n], 'entity')
    end
    devices[#devices + 1] = {name, fields}
  elseif not f[1] then
    dead[#dead + 1] = name
  end
end
return {NONCE, 'devices', devices, dead}
