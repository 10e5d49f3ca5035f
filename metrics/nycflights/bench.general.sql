-- Who is late, when, and on the way to where.

-- name: delays through the day
-- kind: groups            they add up from morning to evening
-- keys: hour
-- values: n=count, late=ratio, delay=mean(dep_delay)
-- support: n   min_support: 50
SELECT hour, count(*) AS n, avg((dep_delay >= 15)::INT) AS late, avg(dep_delay) AS delay
FROM core
GROUP BY hour;

-- name: delays through the year
-- kind: groups            summer storms and December
-- keys: month, origin
-- values: late=ratio, cancelled=ratio
-- support: n   min_support: 50
SELECT month, origin, count(*) AS n, avg((arr_delay >= 15)::INT) AS late, avg((dep_delay IS NULL)::INT) AS cancelled
FROM core
GROUP BY month, origin;

-- name: latest airlines
-- kind: topk
-- keys: carrier
-- values: late=ratio, n=count
-- order: late desc   k: 5
SELECT carrier, avg((arr_delay >= 15)::INT) AS late, count(*) AS n
FROM core
GROUP BY carrier
HAVING count(*) >= 100;

-- name: time made up in the air
-- kind: dist
-- values: minutes=number
SELECT dep_delay - arr_delay AS minutes
FROM core
WHERE dep_delay IS NOT NULL AND arr_delay IS NOT NULL;

-- name: speed
-- kind: groups            miles an hour, by how far it is
-- keys: thousand
-- values: n=count, speed=mean(distance)
-- support: n   min_support: 50
SELECT distance // 1000 AS thousand, count(*) AS n, sum(distance) / sum(air_time) * 60 AS speed
FROM core
WHERE air_time IS NOT NULL
GROUP BY thousand;
