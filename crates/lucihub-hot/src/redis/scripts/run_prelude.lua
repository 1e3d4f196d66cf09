-- What every script about one run begins with. KEYS[1..12] are the fixed keys of the run, in the order of keys.rs;
-- ARGV[1] is the nonce that the reply repeats, ARGV[2] is added to the server's clock.
local RUN, GONE, NEXT, BASE, CONFIRMED, HEAD = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local STATES, PHASES, OVERLOADS, FINALS, LOG, WAKE = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local NONCE, SHIFT = ARGV[1], ARGV[2]

-- The server's clock, microseconds since 1970: exact in a double until the year 2255.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2] + SHIFT
end

local function digits(number)
  return string.format('%.0f', number)
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

-- Every key of the run but the tombstone. Channels are known by their positions.
local function all_keys()
  local keys = {RUN, NEXT, BASE, CONFIRMED, HEAD, STATES, PHASES, OVERLOADS, FINALS, LOG}
  local stem = string.sub(RUN, 1, #RUN - 3)
  for _, name in ipairs(redis.call('HKEYS', NEXT)) do
    if string.match(name, '^%d') then
      keys[#keys + 1] = stem .. 's:' .. name
    end
  end
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
    redis.call('XADD', KEYS[12 + n], ARGV[place + 1], 'b', ARGV[place + 2])
    place = place + 2
  end
end

-- The run as it stands. The head is left out if the caller has this one.
local function snapshot(at, known)
  local f = redis.call('HMGET', RUN, 'incarnation', 'head_rev', 'mark', 'worker', 'lease_until', 'seq', 'cancel',
    'seal', 'changed_at', 'confirmed_rev')
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
  local last = f[6] and redis.call('HGET', RUN, 'd' .. digits(f[6] % 8))
  return {NONCE, 'run', digits(at), f, last, redis.call('HGETALL', NEXT), redis.call('HGETALL', BASE),
    redis.call('HGETALL', CONFIRMED), head}
end
