-- Rebuild: fresh tables `rebuild_<name>` of the same shape are filled from the event log while the old ones keep serving, then
-- swapped in one transaction. The application role has no DDL; these two functions do exactly this.
CREATE TABLE read_model (name text PRIMARY KEY);
INSERT INTO read_model VALUES
    ('unit'), ('beneficiary'), ('preference'), ('verification'), ('account'), ('payout_method'), ('cycle'), ('payment'),
    ('hold'), ('recovery');

CREATE FUNCTION rebuild_begin() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    model text;
    options text;
BEGIN
    FOR model IN SELECT name FROM read_model ORDER BY name LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', 'rebuild_' || model);
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', 'rebuild_' || model, model);
        options := (SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = model::regclass);
        IF options IS NOT NULL THEN  -- LIKE does not copy the fill factor
            EXECUTE format('ALTER TABLE %I SET (%s)', 'rebuild_' || model, options);
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION rebuild_swap() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    model text;
BEGIN
    FOR model IN SELECT name FROM read_model ORDER BY name LOOP
        EXECUTE format('ANALYZE %I', 'rebuild_' || model);  -- fresh tables have no statistics, and reports must not wait for them
        EXECUTE format('DROP TABLE %I', model);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', 'rebuild_' || model, model);
    END LOOP;
END $$;
