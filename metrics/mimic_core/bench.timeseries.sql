-- The first day, hour by hour.

-- name: vital signs hour by hour
-- kind: groups            the first day's course
-- keys: block
-- values: heart=mean(heart_rate), breath=mean(respiratory_rate), oxygen=mean(spo2), pressure=mean(map)
-- support: n   min_support: 10
SELECT hour // 4 AS block, count(*) AS n, avg(heart_rate) AS heart, avg(respiratory_rate) AS breath,
  avg(spo2) AS oxygen, avg(map) AS pressure
FROM timeseries
GROUP BY block;

-- name: what is measured together
-- kind: share            pressures come together, temperature seldom
-- keys: heart, pressure, temperature
-- values: n=count
SELECT heart_rate IS NOT NULL AS heart, sbp IS NOT NULL AS pressure, temp_c IS NOT NULL AS temperature, count(*) AS n
FROM timeseries
GROUP BY heart, pressure, temperature;

-- name: order of pressures
-- kind: scalar            diastolic under mean under systolic
-- values: broken=ratio, pulse=mean(sbp)
SELECT avg((NOT dbp <= map OR NOT map <= sbp)::INT) AS broken, avg(sbp - dbp) AS pulse
FROM timeseries;

-- name: alarms by outcome
-- kind: groups            the sick show it: fast hearts, low pressure, low oxygen
-- keys: died
-- values: fast=ratio, low=ratio, blue=ratio
-- support: n   min_support: 10
SELECT discharge IN ('Expired', 'Hospice') AS died, count(*) AS n, avg((heart_rate > 110)::INT) AS fast,
  avg((map < 60)::INT) AS low, avg((spo2 < 90)::INT) AS blue
FROM timeseries
JOIN core USING (hospitalization_id)
GROUP BY died;

-- name: hours measured in a stay
-- kind: dist
-- values: hours=number
SELECT count(t.hour) AS hours
FROM core AS c
LEFT JOIN timeseries AS t USING (hospitalization_id)
GROUP BY c.hospitalization_id;

-- name: steps of the heart rate
-- kind: dist            from one measured hour to the next within a stay
-- values: step=number
SELECT heart_rate - lag(heart_rate) OVER (PARTITION BY hospitalization_id ORDER BY hour) AS step
FROM timeseries
WHERE heart_rate IS NOT NULL;

-- name: first hours to outcome
-- kind: groups            a fast heart in the first six hours goes with intensive care
-- keys: fast
-- values: intensive=ratio
-- support: n   min_support: 3
WITH early AS (
  SELECT hospitalization_id, max(heart_rate) > 100 AS fast
  FROM timeseries
  WHERE hour < 6
  GROUP BY hospitalization_id
)
SELECT fast, count(*) AS n, avg((icu_days > 0)::INT) AS intensive
FROM early
JOIN core USING (hospitalization_id)
GROUP BY fast;
