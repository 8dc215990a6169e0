-- KEYS 10, 11: the marks. ARGV 3: entry, 4: token, 5: how long the job is remembered, 6: until when.
if not holds(ARGV[3], ARGV[4]) then return 0 end
redis.call('SET', KEYS[10], ARGV[6], 'PX', ARGV[5])
redis.call('SET', KEYS[11], ARGV[6], 'PX', ARGV[5])
drop(ARGV[3])
touch()
return 1
