-- Shared by all scripts of the queue. Times are milliseconds of the caller's clock.
-- KEYS 1 to 9: see keys.rs. ARGV 1: now; ARGV 2: how long the queue's keys live after a write.
local JOBS, LEASES, HELD, LANES, PARKED, OPEN, DELAYED, DEAD = unpack(KEYS, 1, 8)
local NOW, KEEP = tonumber(ARGV[1]), ARGV[2]
-- One consumer for all: leases tell workers apart, so none has to be cleaned up after a crash.
local GROUP, ME = 'workers', 'worker'

-- The dead letters' time to live starts anew only when one is added.
local function touch()
  for i = 1, 9 do
    if KEYS[i] ~= DEAD then redis.call('PEXPIRE', KEYS[i], KEEP) end
  end
end

local function fields(flat)
  local job = {}
  for i = 1, #flat, 2 do job[flat[i]] = flat[i + 1] end
  return job
end

local function entry(id)
  local found = redis.call('XRANGE', JOBS, id, id)
  if found[1] then return fields(found[1][2]) end
end

-- The oldest parked entry of a lane, and its order. A member is LANE|ORDER|ENTRY.
local function first_parked(lane)
  local member = redis.call('ZRANGEBYLEX', PARKED, '[' .. lane .. '|', '(' .. lane .. '}', 'LIMIT', 0, 1)[1]
  if not member then return nil end
  local order, id = string.match(member, '|(%d+)|([^|]+)$')
  return member, order, id
end

local function open_lane(lane)
  local member, order = first_parked(lane)
  if member then redis.call('ZADD', OPEN, order, lane) end
end

-- Due, and read already: waits until its lane is free.
local function park(id, job)
  redis.call('ZADD', PARKED, 0, job.lane .. '|' .. job.order .. '|' .. id)
  if redis.call('HEXISTS', LANES, job.lane) == 0 then open_lane(job.lane) end
end

-- Ends a lease and frees its lane.
local function release(id)
  local held = redis.call('HGET', HELD, id)
  redis.call('ZREM', LEASES, id)
  redis.call('HDEL', HELD, id)
  local lane = held and string.match(held, '^%S+ (.*)$')
  if lane and redis.call('HGET', LANES, lane) == id then
    redis.call('HDEL', LANES, lane)
    open_lane(lane)
  end
end

-- Whether this token still holds the lease of this entry.
local function holds(id, token)
  local held = redis.call('HGET', HELD, id)
  local deadline = redis.call('ZSCORE', LEASES, id)
  if not held or not deadline or tonumber(deadline) <= NOW then return false end
  return string.match(held, '^(%S+) ') == token
end

-- Takes the entry off the queue.
local function drop(id)
  release(id)
  redis.call('XACK', JOBS, GROUP, id)
  redis.call('XDEL', JOBS, id)
end

-- Nothing that was read is known to be anywhere any more: every entry will be read again.
local function forget()
  redis.call('DEL', LEASES, HELD, LANES, PARKED, OPEN, DELAYED)
end
