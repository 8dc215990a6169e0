-- Keeps a sealed value. Times are milliseconds of the caller's clock.
-- KEYS 1: the salt, 2: the index, 3: the value, 4: what must be there, and goes (or the value itself).
-- ARGV 1: the salt, 2: how long it lives, 3: the sealed name, 4: the value, 5: how long it lives,
-- 6: until when, 7: now, 8: anything, nothing or this; 9: the sealed name of KEYS 4, 10: its bytes.
-- Answers 0: the salt is another, 1: kept, 2: not what must be there is.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local MUST = ARGV[8]
if MUST ~= 'anything' then
  local there = redis.call('GET', KEYS[3])
  -- No two sealings are alike: it was written by this very call, and the answer was lost.
  if there == ARGV[4] then return 1 end
  if there and (MUST == 'nothing' or KEYS[4] ~= KEYS[3]) then return 2 end
end
if MUST == 'this' then
  if redis.call('GET', KEYS[4]) ~= ARGV[10] then return 2 end
  redis.call('UNLINK', KEYS[4])
  redis.call('ZREM', KEYS[2], ARGV[9])
end
redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[6], ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[7])
-- GT alone leaves a key without a time to live as it is.
redis.call('PEXPIRE', KEYS[2], ARGV[5], 'NX')
redis.call('PEXPIRE', KEYS[2], ARGV[5], 'GT')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
