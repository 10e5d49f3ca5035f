-- Flights of an aircraft, one after the other.

-- name: days between departures
-- kind: dist            from New York, of the same aircraft
-- values: days=number
SELECT day - lag(day) OVER (PARTITION BY tailnum ORDER BY day, hour) AS days
FROM flights
QUALIFY days IS NOT NULL;

-- name: delay after a delay
-- kind: groups            who left late today leaves late again today
-- keys: late, same
-- values: n=count, again=ratio, delay=mean(dep_delay)
-- support: n   min_support: 30
WITH pairs AS (
  SELECT dep_delay, day = lag(day) OVER w AS same, lag(dep_delay) OVER w >= 30 AS late
  FROM flights
  WINDOW w AS (PARTITION BY tailnum ORDER BY day, hour)
)
SELECT late, same, count(*) AS n, avg((dep_delay >= 30)::INT) AS again, avg(dep_delay) AS delay
FROM pairs
WHERE late IS NOT NULL AND dep_delay IS NOT NULL
GROUP BY late, same;

-- name: airport of the next departure
-- kind: share            an aircraft mostly comes back to where it left from
-- keys: before, origin
-- values: n=count
WITH pairs AS (
  SELECT origin, lag(origin) OVER (PARTITION BY tailnum ORDER BY day, hour) AS before
  FROM flights
)
SELECT before, origin, count(*) AS n
FROM pairs
WHERE before IS NOT NULL
GROUP BY before, origin;

-- name: airports of an aircraft
-- kind: dist            how many destinations it served
-- values: destinations=number
SELECT count(DISTINCT dest) AS destinations
FROM flights
GROUP BY tailnum;

-- name: destinations by size
-- kind: groups            small jets stay in the time zone, nobody takes them to the Pacific
-- keys: small, zone
-- values: n=count
-- support: n   min_support: 30
SELECT seats < 100 AS small, zone, count(*) AS n
FROM flights
JOIN core USING (tailnum)
JOIN airports ON faa = dest
GROUP BY small, zone;

-- name: busiest destinations of the airlines
-- kind: topk
-- keys: carrier, dest
-- values: n=count, delay=mean(arr_delay)
-- order: n desc   k: 12
SELECT carrier, dest, count(*) AS n, avg(arr_delay) AS delay
FROM flights
JOIN core USING (tailnum)
WHERE dest IS NOT NULL
GROUP BY carrier, dest;

-- name: delays through the day
-- kind: groups            they add up from morning to evening
-- keys: hour
-- values: n=count, late=ratio, delay=mean(dep_delay)
-- support: n   min_support: 50
SELECT hour, count(*) AS n, avg((dep_delay >= 15)::INT) AS late, avg(dep_delay) AS delay
FROM flights
GROUP BY hour;

-- name: destinations that are none
-- kind: scalar            each flight's is in the list of airports, or is not known
-- values: known=ratio, unlisted=ratio
SELECT avg((dest IS NOT NULL)::INT) AS known, avg((dest IS NOT NULL AND faa IS NULL)::INT) AS unlisted
FROM flights
LEFT JOIN airports ON faa = dest;

-- name: delays of long flights
-- kind: groups            what was late may be caught up on the way west
-- keys: zone, late
-- values: n=count, caught=mean(arr_delay)
-- support: n   min_support: 30
SELECT zone, dep_delay >= 15 AS late, count(*) AS n, avg(dep_delay - arr_delay) AS caught
FROM flights
JOIN airports ON faa = dest
WHERE dep_delay IS NOT NULL AND arr_delay IS NOT NULL
GROUP BY zone, late;

-- name: old aircraft
-- kind: groups            are cancelled more often
-- keys: generation
-- values: n=count, cancelled=ratio, late=ratio
-- support: n   min_support: 50
SELECT built // 10 * 10 AS generation, count(*) AS n, avg((dep_delay IS NULL)::INT) AS cancelled,
  avg((arr_delay >= 15)::INT) AS late
FROM flights
JOIN core USING (tailnum)
WHERE built IS NOT NULL
GROUP BY generation;
