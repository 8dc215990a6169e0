-- ARGV 3: entry, 4: token, 5: new deadline.
if not holds(ARGV[3], ARGV[4]) then return 0 end
redis.call('ZADD', LEASES, 'XX', ARGV[5], ARGV[3])
redis.call('XCLAIM', JOBS, GROUP, ME, 0, ARGV[3], 'JUSTID')
touch()
return 1
