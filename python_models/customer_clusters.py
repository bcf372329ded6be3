from tables import clusters


def model(dbt, session):
    settings = dbt.config.get("meta")["settings"]
    return clusters(
        session,
        settings,
        decision=dbt.ref("int_refit_decision"),
        models=dbt.ref("int_models"),
        names=dbt.ref("int_segment_names"),
        last_labels=dbt.ref("int_previous_segments"),
        customers=dbt.ref("int_customers_to_label"),
    )
