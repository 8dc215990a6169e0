-- KEYS 10, 11: the marks. ARGV 3: entry, 4: token, 5: why, 6: attempt, 7: how many are kept.
if not holds(ARGV[3], ARGV[4]) then return 0 end
local job = entry(ARGV[3])
if job then
  redis.call('XADD', DEAD, 'MAXLEN', ARGV[7], '*', 'job', job.job, 'repo', job.repo or '',
    'why', ARGV[5], 'attempt', ARGV[6], 'at', NOW)
  -- By the server's clock, like the ids of the entries.
  local oldest = tonumber(redis.call('TIME')[1]) * 1000 - tonumber(KEEP)
  redis.call('XTRIM', DEAD, 'MINID', string.format('%.0f', oldest))
  redis.call('PEXPIRE', DEAD, KEEP)
end
redis.call('DEL', KEYS[10], KEYS[11])
drop(ARGV[3])
touch()
return 1
