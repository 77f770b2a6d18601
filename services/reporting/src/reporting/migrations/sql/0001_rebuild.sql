-- Rebuild: fresh tables `rebuild_<name>` of the same shape are filled from the event log while the old ones keep serving, then
-- swapped in one transaction. The application role has no DDL; these two functions do exactly this.
--
-- `lock_order` is the order in which reports read the tables: the swap locks in the same order, so that a report and a swap wait for
-- each other and never lock each other out.
CREATE TABLE read_model (name text PRIMARY KEY, lock_order integer NOT NULL UNIQUE);
INSERT INTO read_model VALUES
    ('payment', 1), ('hold', 2), ('beneficiary', 3), ('verification', 4), ('preference', 5), ('account', 6), ('payout_method', 7),
    ('cycle', 8), ('recovery', 9), ('unit', 10);

-- Returns a mark of this attempt: the fresh payment table's identity. Only its holder may swap.
CREATE FUNCTION rebuild_begin() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    model text;
    options text;
BEGIN
    FOR model IN SELECT name FROM read_model ORDER BY lock_order LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', 'rebuild_' || model);
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', 'rebuild_' || model, model);
        options := (SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = model::regclass);
        IF options IS NOT NULL THEN  -- LIKE does not copy the fill factor
            EXECUTE format('ALTER TABLE %I SET (%s)', 'rebuild_' || model, options);
        END IF;
    END LOOP;
    RETURN 'rebuild_payment'::regclass::oid::bigint;
END $$;

-- False, and nothing done, when another attempt has begun since (this one's tables are gone).
CREATE FUNCTION rebuild_swap(mark bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    model text;
BEGIN
    IF to_regclass('rebuild_payment')::oid::bigint IS DISTINCT FROM mark THEN
        RETURN false;
    END IF;
    FOR model IN SELECT name FROM read_model ORDER BY lock_order LOOP
        EXECUTE format('ANALYZE %I', 'rebuild_' || model);  -- fresh tables have no statistics, and reports must not wait for them
    END LOOP;
    FOR model IN SELECT name FROM read_model ORDER BY lock_order LOOP
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', model);
    END LOOP;
    FOR model IN SELECT name FROM read_model ORDER BY lock_order LOOP
        EXECUTE format('DROP TABLE %I', model);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', 'rebuild_' || model, model);
    END LOOP;
    RETURN true;
END $$;
