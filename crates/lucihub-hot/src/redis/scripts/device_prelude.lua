-- What every script about devices begins with. KEYS[1] names all active ones; each device is a hash of its own.
local ALL = KEYS[1]
local NONCE, SHIFT = ARGV[1], ARGV[2]

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2] + SHIFT
end

local function digits(number)
  return string.format('%.0f', number)
end

-- A span later; the last time that there is if that is past it. It stands as text, since a double cannot say it.
local function later(at, span)
  local ends = at + span
  if ends >= 253402300799999999 then
    return '253402300799999999'
  end
  return digits(ends)
end

-- Whether a device with this first sighting and this end of its lease is active; it has no end if it always is.
local function is_active(since, ends, at)
  return since and (not ends or ends == '' or tonumber(ends) > at)
end
