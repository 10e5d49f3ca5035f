-- What happens in a stay. Places and blood tests.

-- name: from place to place
-- kind: share            emergency, ward, sometimes intensive care and back
-- keys: before, location
-- values: n=count
WITH moves AS (
  SELECT location, lag(location) OVER (PARTITION BY hospitalization_id ORDER BY place) AS before
  FROM transfers
)
SELECT coalesce(before, 'admitted') AS before, location, count(*) AS n
FROM moves
GROUP BY ALL;

-- name: hours in a place
-- kind: groups
-- keys: location
-- values: n=count, hours=mean, short=ratio
-- support: n   min_support: 5
SELECT location, count(*) AS n, avg(hours) AS hours, avg((hours < 4)::INT) AS short
FROM transfers
GROUP BY location;

-- name: places add up to the stay
-- kind: scalar            hours in all places by hours of the stay, and stays whose places are longer
-- values: part=ratio, longer=ratio
WITH spent AS (
  SELECT hospitalization_id, sum(hours) AS hours
  FROM transfers
  GROUP BY hospitalization_id
)
SELECT sum(hours) / nullif(sum(length_of_stay_days) * 24, 0) AS part,
  avg((hours > length_of_stay_days * 24 + 24)::INT) AS longer
FROM stays
JOIN spent USING (hospitalization_id);

-- name: intensive care by admission
-- kind: groups            and what became of those who needed it
-- keys: admission_type, intensive
-- values: n=count, died=ratio, days=mean(length_of_stay_days)
-- support: n   min_support: 3
WITH needed AS (
  SELECT hospitalization_id, max((location = 'icu')::INT) AS intensive
  FROM transfers
  GROUP BY hospitalization_id
)
SELECT admission_type, intensive, count(*) AS n, avg((discharge IN ('Expired', 'Hospice'))::INT) AS died,
  avg(length_of_stay_days) AS days
FROM stays
JOIN needed USING (hospitalization_id)
GROUP BY admission_type, intensive;

-- name: blood tests of a stay
-- kind: dist
-- values: tests=number
SELECT count(l.hour) AS tests
FROM stays AS s
LEFT JOIN lab_results AS l USING (hospitalization_id)
GROUP BY s.hospitalization_id;

-- name: first blood test by outcome
-- kind: groups            the dying are more often short of blood
-- keys: died
-- values: n=count, creatinine=mean, bicarbonate=mean, wbc=mean, anaemic=ratio
-- support: n   min_support: 5
WITH firsts AS (
  SELECT *, row_number() OVER (PARTITION BY hospitalization_id ORDER BY hour) AS nth
  FROM lab_results
)
SELECT discharge IN ('Expired', 'Hospice') AS died, count(*) AS n, avg(creatinine) AS creatinine,
  avg(bicarbonate) AS bicarbonate, avg(wbc) AS wbc, avg((hemoglobin < 8)::INT) AS anaemic
FROM firsts
JOIN stays USING (hospitalization_id)
WHERE nth = 1
GROUP BY died;

-- name: change of hemoglobin
-- kind: dist            from one test to the next of the same stay
-- values: change=number
SELECT hemoglobin - lag(hemoglobin) OVER (PARTITION BY hospitalization_id ORDER BY hour) AS change
FROM lab_results
WHERE hemoglobin IS NOT NULL
QUALIFY change IS NOT NULL;

-- name: what is tested together
-- kind: share            salts come together, cells come together
-- keys: salts, kidney, cells
-- values: n=count
SELECT sodium IS NOT NULL AS salts, creatinine IS NOT NULL AS kidney, wbc IS NOT NULL AS cells, count(*) AS n
FROM lab_results
GROUP BY salts, kidney, cells;

-- name: potassium out of bounds
-- kind: groups            more often where the kidneys fail
-- keys: failing
-- values: n=count, high=ratio, low=ratio
-- support: n   min_support: 10
SELECT creatinine >= 2 AS failing, count(*) AS n, avg((potassium > 5)::INT) AS high, avg((potassium < 3.5)::INT) AS low
FROM lab_results
WHERE creatinine IS NOT NULL AND potassium IS NOT NULL
GROUP BY failing;

-- name: day by day
-- kind: groups            tests are drawn every morning and less often later
-- keys: day
-- values: n=count, hemoglobin=mean, platelets=mean
-- support: n   min_support: 10
SELECT hour // 24 AS day, count(*) AS n, avg(hemoglobin) AS hemoglobin, avg(platelets) AS platelets
FROM lab_results
GROUP BY day;
