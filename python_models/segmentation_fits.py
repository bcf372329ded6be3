from tables import new_fits


def model(dbt, session):
    settings = dbt.config.get("meta")["settings"]
    return new_fits(
        session,
        dbt.this if dbt.is_incremental else None,
        settings,
        decision=dbt.ref("int_refit_decision"),
        medians=dbt.ref("int_feature_medians"),
        training_rows=dbt.ref("int_training_rows"),
        customers=dbt.ref("int_customer_features"),
    )
