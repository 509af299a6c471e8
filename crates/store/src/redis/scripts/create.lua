-- The mark of a company in an empty database.
-- KEYS: lane of the company, values and keys of its table of facts about itself, its id while it is being created
-- ARGV: process, key of the schema version, schema version
if redis.call('HEXISTS', KEYS[1], 'g') == 1 then return 0 end
local id = redis.call('GET', KEYS[4])
local time = redis.call('TIME')
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[3], 0, ARGV[2])
redis.call('HSET', KEYS[1], 'g', time[1] * 1000 + math.floor(time[2] / 1000), 'run', ARGV[1], 'id', id, 'n', 0)
redis.call('DEL', KEYS[4])
return 1
