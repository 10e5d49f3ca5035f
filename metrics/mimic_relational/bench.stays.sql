-- Patients and their stays. Who comes back, and how it ends.

-- name: stays of a patient
-- kind: dist            half come once, one comes over twenty times
-- values: stays=number
SELECT count(s.day) AS stays
FROM patients AS p
LEFT JOIN stays AS s USING (patient_id)
GROUP BY p.patient_id;

-- name: days between stays
-- kind: dist            from one admission to the next of the same patient
-- values: days=number
SELECT day - lag(day) OVER (PARTITION BY patient_id ORDER BY day) AS days
FROM stays
QUALIFY days IS NOT NULL;

-- name: back within thirty days
-- kind: groups            by where the stay before went to
-- keys: discharge
-- values: n=count, back=ratio
-- support: n   min_support: 3
WITH followed AS (
  SELECT discharge, length_of_stay_days, day,
    lead(day) OVER (PARTITION BY patient_id ORDER BY day) - day - length_of_stay_days AS gap
  FROM stays
)
SELECT discharge, count(*) AS n, avg(coalesce((gap <= 30)::INT, 0)) AS back
FROM followed
GROUP BY discharge;

-- name: outcome of patients
-- kind: groups            the old, and more so those who come often
-- keys: often, old
-- values: n=count, died=ratio
-- support: n   min_support: 3
WITH histories AS (
  SELECT patient_id, count(*) > 2 AS often, max(age) >= 70 AS old
  FROM stays
  GROUP BY patient_id
)
SELECT often, old, count(*) AS n, avg(died::INT) AS died
FROM histories
JOIN patients USING (patient_id)
GROUP BY often, old;

-- name: the dead are dead
-- kind: scalar            nobody comes back after a stay that ended in death, or lives on
-- values: back=ratio, alive=ratio
WITH followed AS (
  SELECT patient_id, discharge, lead(day) OVER (PARTITION BY patient_id ORDER BY day) IS NOT NULL AS returned
  FROM stays
)
SELECT avg((discharge = 'Expired' AND returned)::INT) AS back, avg((discharge = 'Expired' AND NOT died)::INT) AS alive
FROM followed
JOIN patients USING (patient_id);

-- name: age grows with time
-- kind: scalar            years of age gained for every year between the first stay and a later one
-- values: gained=ratio
WITH first AS (
  SELECT patient_id, age, day, min(age) OVER (PARTITION BY patient_id) AS young
  FROM stays
)
SELECT sum(age - young) / nullif(sum(day) / 365.25, 0) AS gained
FROM first
WHERE day > 365;
