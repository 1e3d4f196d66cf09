-- What every script about one run begins with. KEYS[1..14] are the fixed keys of the run, in the order of keys.rs;
-- ARGV[1] is the nonce that the reply repeats, ARGV[2] is added to the server's clock.
local RUN, GONE, BASE, CONFIRMED, HEAD = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local STATES, PHASES, OVERLOADS, FINALS, LOG, WAKE = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local ATTACHED, BYTES, EVENTS = KEYS[12], KEYS[13], KEYS[14]
local NONCE, SHIFT = ARGV[1], ARGV[2]

-- The server's clock, microseconds since 1970: exact in a double until the year 2255.
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

-- When the server is to give back the memory of what leaves then: a second later, by its own clock, since the fields
-- decide.
local function frees(leaves)
  return digits((leaves - SHIFT) / 1000 + 1000)
end

-- What no other answer has: names one state of a part that may be lost and grow again.
local function revision(at)
  return digits(at) .. '.' .. NONCE
end

-- Whether a run with this incarnation and this time to leave is there. Keys that have run out may still lie about.
local function is_there(incarnation, leaves, at)
  return incarnation and not (leaves and tonumber(leaves) <= at)
end

-- The answer about a run that is not there: a tombstone stands, or nothing does.
local function absent(at)
  local ends = redis.call('GET', GONE)
  if ends and tonumber(ends) > at then
    return {NONCE, 'deleted'}
  end
  return {NONCE, 'absent'}
end

local function wake()
  redis.call('SPUBLISH', WAKE, '')
end

-- Every key of the run but the tombstone. Channels are known by their positions, so what knows them comes last: a step
-- that a moving slot breaks off finds them again.
local function all_keys()
  local keys = {BASE, CONFIRMED, HEAD, STATES, PHASES, OVERLOADS, FINALS, LOG, ATTACHED, BYTES, EVENTS}
  local stem = string.sub(RUN, 1, -4)
  for _, name in ipairs(redis.call('HKEYS', RUN)) do
    local channel = string.match(name, '^next:(%d+)$')
    if channel then
      keys[#keys + 1] = stem .. 's:' .. channel
    end
  end
  keys[#keys + 1] = RUN
  return keys
end

local function purge()
  for _, key in ipairs(all_keys()) do
    redis.call('UNLINK', key)
  end
end

-- Arguments are taken in order: counted lists, single values.
local place = 2
local function take()
  place = place + 1
  return ARGV[place]
end

-- A counted list as arguments of one command; in parts, since `unpack` has a limit.
local function take_into(command, key)
  local left = tonumber(take())
  while left > 0 do
    local count = math.min(left, 1000)
    redis.call(command, key, unpack(ARGV, place + 1, place + count))
    place = place + count
    left = left - count
  end
end

-- A counted list of stream entries, an id and a block each, for the keys behind the fixed ones.
local function take_entries()
  local count = tonumber(take())
  for n = 1, count do
    redis.call('XADD', KEYS[14 + n], ARGV[place + 1], 'b', ARGV[place + 2])
    place = place + 2
  end
end

-- Whether the worker put an attachment, by what is known of it (attachments.rs).
local function is_by_worker(known)
  return string.match(known, '^%d+ %x+ %d+ (%a)') == 'w'
end

-- The number of the last batch. The tip is incarnation, writer, epoch, that number, and the digest of that batch.
local function last_seq(tip)
  return string.match(tip, '%.(%d+)%.%x*$')
end

-- The run as it stands. The head is left out if the caller has this one.
local function snapshot(at, known)
  local f = redis.call('HMGET', RUN, 'incarnation', 'head_rev')
  local head = false
  if f[1] .. '.' .. f[2] ~= known then
    head = {
      redis.call('HGETALL', HEAD),
      redis.call('LRANGE', STATES, 0, -1),
      redis.call('LRANGE', PHASES, 0, -1),
      redis.call('LRANGE', OVERLOADS, 0, -1),
      redis.call('LRANGE', FINALS, 0, -1)
    }
  end
  return {NONCE, 'run', digits(at), redis.call('HGETALL', RUN), redis.call('HGETALL', BASE),
    redis.call('HGETALL', CONFIRMED), head}
end
