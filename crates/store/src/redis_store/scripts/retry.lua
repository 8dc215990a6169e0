-- KEYS 10, 11: the marks. ARGV 3: entry, 4: token, 5: when it is due again.
if not holds(ARGV[3], ARGV[4]) then return 0 end
release(ARGV[3])
redis.call('ZADD', DELAYED, ARGV[5], ARGV[3])
redis.call('PEXPIRE', KEYS[10], KEEP)
redis.call('PEXPIRE', KEYS[11], KEEP)
touch()
return 1
