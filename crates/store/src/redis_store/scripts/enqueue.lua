-- KEYS 10, 11: the marks of the work and of the delivery.
-- ARGV 3: job, 4: lane, 5: how many jobs may be there; 6, 7: the marks themselves; 8: repository.
-- Answers 1: new, 0: duplicate, -1: full.
local function counts(mark)
  local state = redis.call('GET', mark)
  if not state then return false end
  local id = string.match(state, '^queued (.+)$')
  if id then return entry(id) ~= nil end
  return tonumber(state) > NOW
end

if counts(KEYS[10]) or counts(KEYS[11]) then return 0 end
if redis.call('XLEN', JOBS) >= tonumber(ARGV[5]) then return -1 end
local order = string.format('%016d', redis.call('INCR', KEYS[9]))
local id = redis.call('XADD', JOBS, '*', 'job', ARGV[3], 'lane', ARGV[4], 'order', order,
  'work', ARGV[6], 'delivery', ARGV[7], 'repo', ARGV[8])
redis.call('SET', KEYS[10], 'queued ' .. id, 'PX', KEEP)
redis.call('SET', KEYS[11], 'queued ' .. id, 'PX', KEEP)
touch()
return 1
