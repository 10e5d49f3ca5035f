-- The network. Who flies from where to where.

-- name: airlines at airports
-- kind: share            each has its home
-- keys: carrier, origin
-- values: n=count
SELECT carrier, origin, count(*) AS n
FROM core
GROUP BY carrier, origin;

-- name: busiest destinations
-- kind: topk
-- keys: dest
-- values: n=count, miles=mean(distance)
-- order: n desc   k: 10
SELECT dest, count(*) AS n, avg(distance) AS miles
FROM core
GROUP BY dest;

-- name: one distance to a destination
-- kind: scalar            from three airports of one city: how far a destination's distances spread, in miles
-- values: spread=mean(distance)
WITH far AS (
  SELECT dest, stddev_pop(distance) AS spread, count(*) AS n
  FROM core
  GROUP BY dest
)
SELECT sum(spread * n) / sum(n) AS spread
FROM far;

-- name: days of the week
-- kind: share            few fly on Saturdays, which is day 4: the year began with a Tuesday
-- keys: weekday
-- values: n=count
SELECT ([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month] + day - 1) % 7 AS weekday, count(*) AS n
FROM core
GROUP BY weekday;

-- name: cancelled flights have no times
-- kind: scalar
-- values: cancelled=ratio, diverted=ratio, impossible=ratio
SELECT avg((dep_delay IS NULL)::INT) AS cancelled,
  avg((dep_delay IS NOT NULL AND arr_delay IS NULL)::INT) AS diverted,
  avg((dep_delay IS NULL AND air_time IS NOT NULL)::INT) AS impossible
FROM core;
