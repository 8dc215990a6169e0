-- ARGV 3: deadline of the lease, 4: its token, 5: how much to do in one go.
-- Answers {0}: nothing to do, {1}: call again, {2, entry, attempt, job, work, delivery}: a lease.
local UNTIL, TOKEN, BATCH = ARGV[3], ARGV[4], tonumber(ARGV[5])

if redis.call('EXISTS', JOBS) == 0 then
  forget()
  return {0}
end
-- After a failover or a FLUSHALL the stream may be there without its group.
local probe = redis.pcall('XPENDING', JOBS, GROUP, '-', '+', 1)
if probe.err then
  if not string.find(probe.err, 'NOGROUP', 1, true) then return probe end
  redis.call('XGROUP', 'CREATE', JOBS, GROUP, '0')
  forget()
end

local moved = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', NOW, 'LIMIT', 0, BATCH)) do
  local job = entry(id)
  release(id)
  if job then park(id, job) end
  moved = moved + 1
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELAYED, '-inf', NOW, 'LIMIT', 0, BATCH)) do
  local job = entry(id)
  redis.call('ZREM', DELAYED, id)
  if job then park(id, job) end
  moved = moved + 1
end
if moved >= BATCH then
  touch()
  return {1}
end

-- Parked entries are older than all that have not been read.
local function next_parked(lane)
  local member, _, id = first_parked(lane)
  redis.call('ZREM', OPEN, lane)
  if not member then return end
  redis.call('ZREM', PARKED, member)
  local claimed = redis.call('XCLAIM', JOBS, GROUP, ME, 0, id)
  if claimed[1] then return id, fields(claimed[1][2]) end
  open_lane(lane)
end

for _ = 1, BATCH do
  local id, job
  local lane = redis.call('ZRANGE', OPEN, 0, 0)[1]
  if lane then
    id, job = next_parked(lane)
  else
    local read = redis.call('XREADGROUP', 'GROUP', GROUP, ME, 'COUNT', 1, 'STREAMS', JOBS, '>')
    if not read then
      if moved > 0 then touch() end
      return {0}
    end
    id, job = read[1][2][1][1], fields(read[1][2][1][2])
    if redis.call('HEXISTS', LANES, job.lane) == 1 then
      -- Reading it was not a try.
      redis.call('XCLAIM', JOBS, GROUP, ME, 0, id, 'RETRYCOUNT', 0, 'JUSTID')
      park(id, job)
      moved = moved + 1
      id = nil
    end
  end
  if id then
    redis.call('HSET', LANES, job.lane, id)
    redis.call('ZADD', LEASES, UNTIL, id)
    redis.call('HSET', HELD, id, TOKEN .. ' ' .. job.lane)
    touch()
    local attempt = redis.call('XPENDING', JOBS, GROUP, id, id, 1)[1][4]
    return {2, id, attempt, job.job, job.work, job.delivery}
  end
end
touch()
return {1}
