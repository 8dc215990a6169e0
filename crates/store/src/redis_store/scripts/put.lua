-- KEYS: salt, value, index. ARGV: salt, value, name, now, expires, the longest life, what may lie there
-- ("anything", "nothing", "this"), and for "this" its bytes. Times are milliseconds.
-- 0 kept, 1 something else lies there, 2 the salt is another.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 2 end
local there = redis.call('GET', KEYS[2])
if ARGV[7] == 'nothing' and there then return 1 end
if ARGV[7] == 'this' and there ~= ARGV[8] then return 1 end
local ttl = ARGV[5] - ARGV[4]
redis.call('SET', KEYS[2], ARGV[2], 'PX', ttl)
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[4])
-- GT alone leaves a key without a time to live as it is.
redis.call('PEXPIRE', KEYS[3], ttl, 'NX')
redis.call('PEXPIRE', KEYS[3], ttl, 'GT')
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 0
