-- KEYS 10, 11: the marks of the work and of the delivery.
-- ARGV 3: entry, 4: token, 5: how long the marks are remembered, 6: until when, 7: done or nothing.
if not holds(ARGV[3], ARGV[4]) then return 0 end
if ARGV[7] == 'done' then
  redis.call('SET', KEYS[10], ARGV[6], 'PX', ARGV[5])
else
  redis.call('DEL', KEYS[10])
end
redis.call('SET', KEYS[11], ARGV[6], 'PX', ARGV[5])
drop(ARGV[3])
touch()
return 1
