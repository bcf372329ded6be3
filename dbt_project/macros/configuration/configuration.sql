{#-
    The block `segmentation:` of dbt_project.yml, or that of a further segmentation, checked and with its defaults filled in.
    Every model asks here; a mistake in the block stops dbt with one sentence before anything is built.
-#}
{% macro segmentation(prefix=none) %}
    {% set prefix = segmentation_prefix() if prefix is none else prefix %}
    {% set checked = _checked_blocks() %}
    {% if prefix ~ 'segmentation' not in checked %}{% do checked.update({prefix ~ 'segmentation': _checked_segmentation(prefix)}) %}{% endif %}
    {% do return(checked[prefix ~ 'segmentation']) %}
{% endmacro %}


{#- What has been checked by this command: dbt's graph is the one thing that its nodes share, while they are parsed and, a new one, while they run. -#}
{% macro _checked_blocks() %}{% do return(graph.setdefault('checked_blocks', {})) %}{% endmacro %}


{% macro _checked_segmentation(prefix) %}
    {% set first = segmentation('') if prefix else none %}
    {% set name = prefix ~ 'segmentation' %}
    {% set block = var(name) %}
    {% do _reject_unknown_settings(name, block, (['needs'] if prefix else ['source', 'key']) + [
        'customers', 'attributes', 'features', 'n_clusters', 'k_range', 'seed', 'refit', 'model_version', 'gates'
    ], name) %}
    {% for setting in ['attributes', 'features'] if block[setting] and (block[setting] is mapping or block[setting] is not iterable) %}
        {% do configuration_error(setting ~ ': ' ~ _shown(block[setting]) ~ ' is not a list, such as [{name: visits}]', name) %}
    {% endfor %}
    {% if prefix %}
        {% if not block.customers %}{% do configuration_error('customers: is missing; name the model that has the features, one row per customer', name) %}{% endif %}
        {% do _require_one_of('needs', block.needs or 'customers', ['customers', 'orders'], name) %}
        {#- Unit tests do not know the models. -#}
        {% if execute and graph.nodes and not node_named(block.customers) %}
            {% do configuration_error('customers: no model is called ' ~ block.customers ~ '; name the one that has the features, one row per customer, such as customer_order_features', name) %}
        {% endif %}
        {% for setting in ['headers', 'format', 'as'] + _settings_of_numbers() %}
            {% for feature in block.features or [] if feature[setting] is defined %}
                {% set remedy = 'give their names there' if setting == 'headers' else 'make numbers of them there' %}
                {% do configuration_error(setting ~ ' of ' ~ feature.name ~ ': the features are columns of the model ' ~ block.customers ~ '; ' ~ remedy, name) %}
            {% endfor %}
        {% endfor %}
        {#- The customers have the same key in every segmentation; what is read is a model, not a file. -#}
        {% set block = dict(block, key=first.key, source={'name': block.customers}) %}
    {% endif %}

    {% set is_without_customers = not prefix and _is_without_customers(block) %}
    {% for setting in ['key'] + ([] if is_without_customers else ['source', 'features', 'n_clusters', 'k_range', 'seed']) if block[setting] is not defined %}
        {% do configuration_error(setting ~ ': is missing; give it as in the file that the project ships', name) %}
    {% endfor %}

    {% set key = first.key if prefix else _configured_key(block.key, name) %}
    {% if is_without_customers %}
        {% do return({
            'customers': none, 'source': {'name': none}, 'key': key, 'attributes': [], 'features': [], 'numbers': [], 'categories': [], 'has_weights': false,
            'columns': [key], 'n_clusters': none, 'k_range': [], 'seed': none, 'refit': 'never', 'model_version': none, 'gates': _configured_gates(block.gates or {}, name)
        }) %}
    {% endif %}
    {% set source = {'name': block.customers} if prefix else _configured_source(block.source, 'segmentation', 'customers_file') %}

    {#- Those that are personal are read, and go no further than stg_customers. -#}
    {% set attributes, personal = [], [] %}
    {% for attribute in block.attributes or [] %}
        {% set column = dict(_configured_attribute(attribute, source, name, is_read=not prefix), kind='attribute') %}
        {% do (personal if column.personal else attributes).append(column) %}
    {% endfor %}
    {% do source.update({'personal': personal}) %}
    {% for column in attributes if prefix and column.name in (segmentation('').source.personal or []) | map(attribute='name') %}
        {% do configuration_error('attributes: ' ~ column.name ~ ' is personal in the block segmentation, so it cannot be one here; leave it out', name) %}
    {% endfor %}

    {% set features = [] %}
    {% set absent = values_of_orders() if block.customers == 'customer_order_features' and not orders().has_amounts else [] %}
    {% for feature in block.features or [] if feature.name not in absent %}
        {% if feature is mapping and feature.data_type in ['category', 'boolean'] %}
            {% do features.append(_configured_category(feature, name)) %}
        {% else %}
            {% do features.append(dict(_configured_feature(feature, source, name), kind='feature')) %}
        {% endif %}
    {% endfor %}
    {% if not features %}
        {% do configuration_error('features: is empty; name at least one column to form segments from', name) %}
    {% endif %}

    {% set columns = [key] + attributes + personal + features %}
    {% set names = columns | map(attribute='name') | list %}
    {% for column in names if names.count(column) > 1 %}
        {% do configuration_error('the name ' ~ column ~ ' is given to more than one column; rename all but one', name) %}
    {% endfor %}
    {% for column in names if column in _names_of_our_own() %}
        {% do configuration_error('the name ' ~ column ~ ' is taken by a column of the tables; choose another one', name) %}
    {% endfor %}

    {% set k_range = block.k_range %}
    {% if k_range is string or k_range is not sequence or k_range | length != 2 or not k_range[0] is integer or not k_range[1] is integer
            or k_range[0] < 1 or k_range[1] < k_range[0] %}
        {% do configuration_error('k_range: ' ~ k_range ~ ' is not a first and a last number of clusters, such as [1, 10]', name) %}
    {% endif %}
    {% if not block.seed is integer or not 0 <= block.seed < 2 ** 32 %}
        {% do configuration_error('seed: ' ~ block.seed ~ ' is not a whole number of 0 or more, such as 42', name) %}
    {% endif %}
    {% set n_clusters = var(prefix ~ 'n_clusters', block.n_clusters) %}
    {% set rules = ['auto', 'elbow', 'silhouette', 'gap', 'prediction_strength'] %}
    {% if n_clusters not in rules and (not n_clusters is integer or not k_range[0] <= n_clusters <= k_range[1]) %}
        {% do configuration_error(
            'n_clusters: ' ~ n_clusters ~ ' is neither a whole number within k_range ' ~ k_range ~ ' nor a rule (' ~ rules | join(', ')
            ~ '); change one of the two', name
        ) %}
    {% endif %}

    {% set refit = var('refit', block.refit or 'auto') %}
    {% do _require_one_of('refit', refit, ['auto', 'always', 'never', true], name) %}
    {% set model_version = var(prefix ~ 'model_version', block.get('model_version')) %}
    {% if model_version is not none %}
        {% if not model_version is integer or model_version < 1 %}
            {% do configuration_error('model_version: ' ~ model_version ~ ' is not the number of a model, such as 2; segmentation_models lists them', name) %}
        {% endif %}
        {% if refit in ['always', true] %}
            {% do configuration_error(
                'model_version: ' ~ model_version ~ ' asks for a model that is there, and refit: ' ~ refit | string | lower ~ ' for a new one; take one of the two out', name
            ) %}
        {% endif %}
    {% endif %}

    {% do return({
        'customers': block.customers or 'stg_customers', 'source': source, 'key': key, 'attributes': attributes, 'features': features, 'columns': columns,
        'numbers': features | rejectattr('transform', 'equalto', 'category') | list,
        'categories': features | selectattr('transform', 'equalto', 'category') | list,
        'has_weights': features | rejectattr('weight', 'equalto', 1) | list | length > 0,
        'n_clusters': n_clusters, 'k_range': k_range, 'seed': block.seed, 'refit': refit, 'model_version': model_version,
        'is_dispensable': block.needs == 'orders' and has_customers(), 'gates': _configured_gates(block.gates or {}, name)
    }) %}
{% endmacro %}


{#- Whether the block asks for segments from orders alone: by customers: null, or for one run by the word none in the place of the file. -#}
{% macro _is_without_customers(block) %}
    {% if 'customers' in block and block.customers is not none %}
        {% do configuration_error(
            'customers: ' ~ _shown(block.customers) ~ ' is unknown; the file of the customers is given by source: file, and customers: null is for segments '
            ~ 'from orders alone', 'segmentation'
        ) %}
    {% endif %}
    {% do return(var('customers_file', env_var('CUSTOMERS_FILE', '') or ('none' if 'customers' in block else '')) == 'none') %}
{% endmacro %}


{#- What identifies a customer: a column; several of them, which are joined; or, where there is nothing that does, the number of the row. -#}
{% macro _configured_key(key, block) %}
    {% if key == 'row_number' %}
        {% do return(dict(
            _configured_column({'name': 'row_number', 'description': 'The number of the row in the source, as there is no key.'}, {'data_type': 'bigint'}, block),
            kind='key', is_row_number=true
        )) %}
    {% endif %}
    {% if key is not mapping %}
        {% do configuration_error('key: ' ~ _shown(key) ~ ' is neither a column, such as {name: customer_id}, nor row_number, for customers without a key', block) %}
    {% endif %}
    {% if key.personal is defined %}
        {% do configuration_error(
            'key: it names the customer in every table, so it cannot be personal; take a customer number for the key, and list the other as an attribute', block
        ) %}
    {% endif %}
    {% set own = {} %}
    {% for setting, value in key.items() if setting not in ['columns', 'case'] %}{% do own.update({setting: value}) %}{% endfor %}
    {% set names = key.columns or [] %}
    {% set settings = _configured_column(own, {'data_type': 'varchar' if names or key.case else 'bigint'}, block) %}
    {% do _require_one_of('data_type of ' ~ settings.name, settings.data_type, ['varchar'] if names or key.case else ['bigint', 'varchar'], block) %}
    {% if key.case is defined %}{% do _require_one_of('case of ' ~ settings.name, key.case, ['fold'], block) %}{% endif %}
    {% if names %}
        {% if names is string or names is mapping or names is not iterable or names | length < 2 %}
            {% do configuration_error('columns of ' ~ settings.name ~ ': ' ~ _shown(names) ~ ' is not a list of several columns, such as [shop, customer_no]', block) %}
        {% endif %}
        {% if settings.headers %}
            {% do configuration_error('headers of ' ~ settings.name ~ ': the key is made of several columns; give each its own, as columns: [{name: shop, headers: [Shop No]}]', block) %}
        {% endif %}
    {% endif %}
    {% set columns = [] %}
    {% for column in names %}
        {% do columns.append(dict(_configured_column(column if column is mapping else {'name': column}, {'data_type': 'varchar'}, block), kind='key_part')) %}
    {% endfor %}
    {% do return(dict(settings, kind='key', columns=columns, case=key.get('case'))) %}
{% endmacro %}


{#- What the text of `relation` names: {kind: ref, source or table; parts: its names}. Names of anything but letters, digits and underscores are quoted. -#}
{% macro named_relation(text, block) %}
    {% set text = text | string | trim %}
    {% set name = '[\'"]([^\'"]+)[\'"]' %}
    {% set forms = {'ref': 'ref[(] *' ~ name ~ ' *[)]', 'source': 'source[(] *' ~ name ~ ' *, *' ~ name ~ ' *[)]'} %}
    {% for kind, form in forms.items() %}
        {% set found = modules.re.fullmatch(form, text) %}
        {% if found %}{% do return({'kind': kind, 'parts': found.groups() | list}) %}{% endif %}
    {% endfor %}
    {% set parts = modules.re.findall('"[^"]+"|[A-Za-z0-9_]+', text) %}
    {% if parts | length in [2, 3] and parts | join('.') == text %}
        {% do return({'kind': 'table', 'parts': parts | map('replace', '"', '') | list}) %}
    {% endif %}
    {% do configuration_error(
        "source: relation: " ~ _shown(text) ~ " is neither a model, ref('crm_customers'), nor a source, source('crm', 'customers'), nor a table, "
        ~ "crm.main.customers, with the names of its database and schema", block
    ) %}
{% endmacro %}


{#- Where the files are and how they are written; `variable` names the file for one run, in capitals as an environment variable. -#}
{% macro _configured_source(settings, block, variable) %}
    {% set source = {
        'encoding': 'utf-8', 'sheet': none, 'skip_lines': 0, 'comment': none, 'fields': none, 'decimal_separator': none, 'thousands_separator': none,
        'missing_words': default_missing_words(), 'max_rejected_share': 0.05
    } %}
    {% set own = ['file', 'relation'] + source.keys() | list %}
    {% do _reject_unknown_settings(block ~ ': source', settings, own, block) %}
    {% do source.update(settings) %}
    {% if source.file and source.relation %}
        {% do configuration_error('source: file: and relation: are both given; take one of the two out', block) %}
    {% endif %}
    {% do source.update({'file': var(variable, env_var(variable | upper, '') or source.file) or none, 'block': block, 'variable': variable}) %}
    {% do _require_separators('source: ', '', source, block) %}
    {% do _require_texts('source: missing_words', source.missing_words, block) %}
    {% do source.update({'has_words_of_its_own': source.missing_words != default_missing_words()}) %}
    {% do source.update({'missing_words': (['', 'nan'] + source.missing_words | map('string') | map('lower') | list) | unique | list}) %}
    {#- Whether it is one, Python knows, and says when the files are looked at. -#}
    {% if source.encoding is not string %}
        {% do configuration_error('source: encoding: ' ~ _shown(source.encoding) ~ ' is not the name of an encoding, such as utf-8 or windows-1252', block) %}
    {% endif %}
    {% for setting in ['sheet', 'comment'] if source[setting] is not none and (source[setting] is not string or not source[setting]) %}
        {% do configuration_error('source: ' ~ setting ~ ': ' ~ _shown(source[setting]) ~ ' is not a text; put it in quotes, or leave the setting out', block) %}
    {% endfor %}
    {% if not source.skip_lines is integer or source.skip_lines is boolean or source.skip_lines < 0 %}
        {% do configuration_error('source: skip_lines: ' ~ _shown(source.skip_lines) ~ ' is not a number of lines, such as 3', block) %}
    {% endif %}
    {#- A file that is given for one run is read instead. -#}
    {% set relation = source.get('relation') if not source.file else none %}
    {% do source.update({'relation': named_relation(relation, block) if relation else none, 'name': source.file or relation}) %}
    {% if not _is_number(source.max_rejected_share) or not 0 <= source.max_rejected_share <= 1 %}
        {% do configuration_error('source: max_rejected_share: ' ~ source.max_rejected_share ~ ' is not a share from 0 to 1, such as 0.05', block) %}
    {% endif %}
    {% if source.file and source.file is not string %}
        {% do configuration_error('source: file: ' ~ _shown(source.file) ~ ' is not a path; give that of a CSV or Parquet file, in quotes', block) %}
    {% endif %}
    {% if not source.name and block != 'orders' %}
        {% do configuration_error(
            'source: file: is missing; give the path of a CSV or Parquet file, a table as relation, or customers: null for segments from orders alone', block
        ) %}
    {% endif %}
    {% if source.file == 'none' %}{% do source.update({'file': none, 'name': none}) %}{% endif %}
    {% do _require_texts('source: fields', source.fields or [], block) %}
    {% do return(source) %}
{% endmacro %}


{#-
    The block `orders:` of dbt_project.yml, checked and with its defaults filled in; the customer is called and typed as the key of the
    block `segmentation:`. The file is none where there are no orders: none are configured, or they are still those of the sample
    while there are customers who are not, whom invented orders must not be joined to.
-#}
{% macro orders() %}
    {% set checked = _checked_blocks() %}
    {% if 'orders' not in checked %}{% do checked.update({'orders': _checked_orders()}) %}{% endif %}
    {% do return(checked.orders) %}
{% endmacro %}


{% macro _checked_orders() %}
    {% set customers = segmentation('') %}
    {% set block = var('orders', none) or {'source': {'file': none}} %}
    {% set usual_headers = {'status': ['status', 'financial_status', 'payment_status', 'order_state'], 'currency': ['currency_code', 'order_currency']} %}
    {% set numbers, ways = ['amount', 'unit_price', 'quantity', 'refunded', 'margin'], _settings_of_numbers() + ['format'] %}
    {% set own = {
        'customer': ['anonymous_share'], 'order_id': [], 'date': ['format'], 'amount': ['of'] + ways, 'unit_price': ways, 'quantity': ways,
        'refunded': ['of'] + ways, 'margin': ways, 'status': ['counts'], 'currency': ['keep'], 'cancelled': [], 'product': [],
    } %}
    {% do _reject_unknown_settings('orders', block, ['source'] + own.keys() | list, 'orders') %}
    {% if not block.source %}{% do configuration_error('source: is missing; give it as in the file that the project ships', 'orders') %}{% endif %}
    {% set source = _configured_source(block.source, 'orders', 'orders_file') %}
    {% if source.file == 'dbt_project/sample/orders.csv' and customers.source.name not in [none, 'dbt_project/sample/customers.csv'] %}
        {% do source.update({'file': none, 'name': none}) %}
    {% endif %}
    {% if not source.name and not has_customers() %}
        {% do configuration_error('source: file: there are no customers either (customers: null), so there is nothing to segment; give the file of the orders', 'orders') %}
    {% endif %}

    {% set columns, written = {}, {} %}
    {% for name in own %}
        {% do _reject_unknown_settings(name, block[name] or {}, ['headers'] + own[name], 'orders') %}
        {#- A status or a currency is looked for by its usual names where nothing is said of it, so that none goes unseen. -#}
        {% set settings = block[name] or {'headers': usual_headers.get(name, [])} %}
        {% do _require_texts('headers of ' ~ name, settings.headers or [], 'orders') %}
        {% do columns.update({name: dict(settings, headers=(settings.headers or []) | list)}) %}
        {% if name in numbers %}
            {% do written.update({name: _way_of_writing(name, settings, source, ['number', 'accounting'], 'orders')}) %}
        {% endif %}
    {% endfor %}
    {% set format = columns.date.format or 'iso' %}
    {% do _require_one_of('format of date', format, _formats_of_dates(), 'orders') %}
    {% set anonymous_share, counts, currency = columns.customer.get('anonymous_share'), columns.status.get('counts'), columns.currency.get('keep') %}
    {% if anonymous_share and (not _is_number(anonymous_share) or not 0 <= anonymous_share <= 1) %}
        {% do configuration_error('anonymous_share of customer: ' ~ _shown(anonymous_share) ~ ' is not a share from 0 to 1, such as 0.3', 'orders') %}
    {% endif %}
    {% if counts != 'all' %}{% do _require_texts('counts of status', counts or [], 'orders') %}{% endif %}
    {% if currency and currency is not string %}
        {% do configuration_error('keep of currency: ' ~ _shown(currency) ~ ' is not one currency, as the file writes it, such as EUR', 'orders') %}
    {% endif %}
    {% for name in ['amount', 'refunded'] if columns[name].of %}
        {% do _require_one_of('of: of ' ~ name, columns[name].of, ['line', 'order'], 'orders') %}
    {% endfor %}
    {#- Null says that there are no amounts; where nothing is said of them, they are looked for. -#}
    {% set has_amounts = 'amount' not in block or block.amount is not none %}
    {#- What many files do not have, and where it is called margin need not be one of money, is read where it is asked for. -#}
    {% set has_margin = block.margin is defined and block.margin is not none %}
    {% set amount_of, refunded_of = columns.amount.get('of'), columns.refunded.get('of') or 'order' %}

    {#- What is personal of the customers is so in the orders, too. -#}
    {% do source.update({'personal': customers.source.personal or []}) %}
    {% if source.name and customers.key.is_row_number %}
        {% do configuration_error('the customers have no key (key: row_number), so that no order can be theirs; give a key, or orders: null', 'segmentation') %}
    {% endif %}
    {% if columns.customer.headers and customers.key.columns %}
        {% do configuration_error('headers of customer: the key has several columns; give their headers there', 'orders') %}
    {% endif %}
    {% set key = dict(customers.key, headers=customers.key.headers + columns.customer.headers) %}
    {# Beyond any price; within it sums are exact. #}
    {% set number = {'kind': 'feature', 'data_type': 'double', 'range': [-1000000000000, 1000000000000], 'missing': 'null'} %}
    {% set text = {'kind': 'attribute', 'data_type': 'varchar', 'is_optional': true} %}
    {% set amounts = [
        dict(number, name='amount', headers=columns.amount.headers, missing='reject', of=amount_of, instead=['quantity', 'unit_price'] if amount_of != 'order' else [], **written.amount),
        dict(number, name='unit_price', headers=columns.unit_price.headers, is_optional=true, is_substitute=true, **written.unit_price),
        dict(number, name='refunded_amount', headers=columns.refunded.headers, is_optional=true, of=refunded_of, **written.refunded),
    ] if has_amounts else [] %}
    {% set margins = [dict(number, name='margin', headers=columns.margin.headers, is_optional=true, **written.margin)] if has_margin else [] %}
    {% set found = [
        key,
        dict(text, name='order_id', headers=columns.order_id.headers, is_optional=amount_of != 'order'),
        {'name': 'ordered_at', 'headers': columns.date.headers, 'kind': 'moment', 'data_type': 'timestamp', 'format': format},
    ] + amounts + margins + [
        dict(number, name='quantity', headers=columns.quantity.headers, is_optional=true, **written.quantity),
        dict(text, name='product', headers=columns.product.headers),
        {'name': 'cancelled', 'headers': columns.cancelled.headers, 'kind': 'flag', 'data_type': 'boolean', 'is_optional': true},
        dict(text, name='currency', headers=columns.currency.headers, is_optional=not currency, words=[currency] if currency else none),
    ] + ([dict(text, name='order_status', headers=columns.status.headers, is_optional=not counts, words=counts)] if counts != 'all' else []) %}
    {% if key.name in found[1:] | map(attribute='name') %}
        {% do configuration_error('the name ' ~ key.name ~ ' of the key is taken by a column of the orders; choose another one', 'segmentation') %}
    {% endif %}
    {% do return({
        'source': source, 'key': key, 'columns': found, 'has_amounts': has_amounts, 'has_margin': has_margin, 'amount_of': amount_of, 'refunded_of': refunded_of,
        'anonymous_share': anonymous_share, 'statuses': counts if counts != 'all' else none, 'currency': currency
    }) %}
{% endmacro %}


{#- The columns of customer_order_features that need amounts. -#}
{% macro values_of_orders() %}
    {% do return(['monetary_value', 'average_order_value', 'share_returned', 'bought_value', 'returned_value']) %}
{% endmacro %}


{#-
    The block `rfm_scores:` of dbt_project.yml: {measure: its four bounds, or none where the scores are fifths of the customers}.
-#}
{% macro rfm_score_bounds() %}
    {% set checked = _checked_blocks() %}
    {% if 'rfm_scores' not in checked %}{% do checked.update({'rfm_scores': _checked_rfm_scores()}) %}{% endif %}
    {% do return(checked.rfm_scores) %}
{% endmacro %}


{% macro _checked_rfm_scores() %}
    {% set settings = var('rfm_scores', none) or {} %}
    {% set scores = {'recency_days': none, 'frequency': none, 'monetary_value': none} %}
    {% do _reject_unknown_settings('rfm_scores', settings, scores.keys() | list, 'rfm_scores') %}
    {% do scores.update(settings) %}
    {% for measure, bounds in scores.items() if bounds is not none and not _are_bounds(bounds, 4) %}
        {% do configuration_error(
            measure ~ ': ' ~ _shown(bounds) ~ ' is not four numbers of 0 or more, the lowest first, such as [30, 90, 180, 365]; null for fifths of the customers',
            'rfm_scores'
        ) %}
    {% endfor %}
    {% do return(scores) %}
{% endmacro %}


{#- Whether a setting is a list of so many numbers of 0 or more, each above the one before. -#}
{% macro _are_bounds(setting, n_bounds) %}
    {% if setting is string or setting is mapping or setting is not sequence or setting | length != n_bounds %}{% do return(false) %}{% endif %}
    {% for bound in setting if not _is_number(bound) or bound < 0 %}{% do return(false) %}{% endfor %}
    {% do return(setting | list == setting | unique | sort | list) %}
{% endmacro %}


{#- Without customers a build goes without everything that is made of them: the first segmentation. -#}
{% macro has_customers() %}{% do return(segmentation('').source.name not in [none, '']) %}{% endmacro %}


{#- Without orders a build goes without everything that is made of them. YAML files, which cannot ask macros, say the same where they must. -#}
{% macro has_orders() %}{% do return(orders().source.name not in [none, '']) %}{% endmacro %}


{#-
    {name: {its bounds, severity}} of every gate. The orders have one, in the first block. Who accepts what has changed, for one run, turns an error
    into a warning.
-#}
{% macro _configured_gates(settings, block) %}
    {% set gates = {
        'customers': {'min_kept_share': 0.7, 'growth': [0.7, 2], 'severity': 'error'},
        'smallest_share': {'bound': 0.01, 'severity': 'error'},
        'structure': {'severity': 'warn'},
        'silhouette': {'bound': 0.15, 'severity': 'warn'},
        'agreement': {'bound': 0.65, 'severity': 'warn'},
        'drift': {'bound': 0.25, 'severity': 'warn'},
        'joint_drift': {'bound': 0.5, 'severity': 'warn'},
        'stability': {'bound': 0.6, 'severity': 'warn'},
        'valuable_movers': {'bound': 0.05, 'severity': 'warn'},
    } %}
    {% if block == 'segmentation' %}{% do gates.update({'orders': {'growth': [0.7, 2], 'severity': 'error'}}) %}{% endif %}
    {% do _reject_unknown_settings('gates', settings, gates.keys() | list, block) %}
    {% for name, gate in settings.items() %}
        {% do _reject_unknown_settings('gate ' ~ name, gate, gates[name].keys() | list, block) %}
        {% do gates[name].update(gate) %}
        {% do _require_one_of('severity of the gate ' ~ name, gates[name].severity, ['error', 'warn'], block) %}
        {% for bound in ['bound', 'min_kept_share'] if gate[bound] is defined and not _is_number(gate[bound]) %}
            {% do configuration_error(bound ~ ' of the gate ' ~ name ~ ': ' ~ _shown(gate[bound]) ~ ' is not a number, such as 0.25', block) %}
        {% endfor %}
        {% if gate.growth is defined and not _is_range(gate.growth) %}
            {% do configuration_error(
                'growth of the gate ' ~ name ~ ': ' ~ _shown(gate.growth) ~ ' is not a lowest and a highest number of times, such as [0.7, 2]', block
            ) %}
        {% endif %}
    {% endfor %}
    {% set accepted = {'customers': var('accept_customers', false), 'orders': var('accept_orders', false)} %}
    {% for name in accepted if accepted[name] and name in gates %}{% do gates[name].update(severity='warn') %}{% endfor %}
    {% do return(gates) %}
{% endmacro %}


{#- Whether a setting is a list of two numbers, the lower one first. -#}
{% macro _is_range(setting) %}
    {% do return(
        setting is sequence and setting is not string and setting is not mapping and setting | length == 2 and _is_number(setting[0])
        and _is_number(setting[1]) and setting[0] < setting[1]
    ) %}
{% endmacro %}


{% macro _configured_column(column, defaults, block) %}
    {% do _reject_unknown_settings('column ' ~ column.name, column, ['name', 'headers', 'data_type', 'description', 'label'], block) %}
    {% set settings = {'headers': [], 'description': column.label or column.name} %}
    {% do settings.update(defaults) %}
    {% do settings.update(column) %}
    {% if settings.name is not string or not modules.re.fullmatch('[a-z][a-z0-9_]*', settings.name) %}
        {% do configuration_error(
            'the column name ' ~ _shown(settings.name) ~ ' is not made of small letters, digits and underscores, such as income_k', block
        ) %}
    {% endif %}
    {% do _require_texts('headers of ' ~ settings.name, settings.headers, block) %}
    {% do _require_words(column, ['label', 'description'], block) %}
    {% set settings = dict(settings, label=settings.label or settings.name | replace('_', ' ')) %}
    {% do return(settings) %}
{% endmacro %}


{#- An attribute is read from the files of the first segmentation, or is a column of the model of another one. -#}
{% macro _configured_attribute(attribute, source, block, is_read) %}
    {% set settings = {'data_type': 'varchar', 'personal': false} %}
    {% set ways = {'date': ['format'], 'double': ['format'] + _settings_of_numbers(), 'integer': ['format'] + _settings_of_numbers()} %}
    {% set own = ways.get(attribute.data_type, []) + ['personal'] if is_read else [] %}
    {% do _reject_unknown_settings('attribute ' ~ attribute.name, attribute, ['name', 'headers', 'data_type', 'description', 'label'] + own, block) %}
    {% do settings.update(attribute) %}
    {% set column = {} %}
    {% for setting, value in attribute.items() if setting not in own %}{% do column.update({setting: value}) %}{% endfor %}
    {% do settings.update(_configured_column(column, {'data_type': 'varchar'}, block)) %}
    {% do _require_one_of('data_type of ' ~ settings.name, settings.data_type, ['varchar', 'double', 'integer', 'date', 'boolean'], block) %}
    {% if settings.data_type == 'date' %}
        {% do settings.update({'format': attribute.format or 'iso'}) %}
        {% do _require_one_of('format of ' ~ settings.name, settings.format, _formats_of_dates(), block) %}
    {% elif settings.data_type in ['double', 'integer'] %}
        {% do settings.update(_way_of_writing(settings.name, attribute, source, ['number', 'percent', 'accounting'], block)) %}
    {% endif %}
    {% if settings.personal is not boolean %}
        {% do configuration_error('personal of ' ~ settings.name ~ ': ' ~ _shown(settings.personal) ~ ' is neither true nor false', block) %}
    {% endif %}
    {% do return(settings) %}
{% endmacro %}


{% macro _configured_feature(feature, source, block) %}
    {#- A date that lies behind the day that it is counted to is a mistake, unless a range says otherwise. -#}
    {% set range = [0 if feature is mapping and feature['as'] else none, none] %}
    {% set settings = {'data_type': 'double', 'range': range, 'transform': 'none', 'missing': 'reject', 'weight': 1, 'unit': ''} %}
    {% set own = ['low', 'high'] + settings.keys() | list + _settings_of_numbers() + ['format', 'as'] %}
    {% do _reject_unknown_settings('feature ' ~ feature.name, feature, ['name', 'headers', 'description', 'label'] + own, block) %}
    {% set column = {} %}
    {% for setting, value in feature.items() if setting not in own or setting == 'data_type' %}
        {% do column.update({setting: value}) %}
    {% endfor %}
    {% do settings.update(feature) %}
    {% do settings.update(_configured_column(column, {'data_type': 'double'}, block)) %}
    {% do _require_words(feature, ['unit', 'low', 'high'], block) %}
    {% do settings.update({'low': settings.low or 'low ' ~ settings.label, 'high': settings.high or 'high ' ~ settings.label}) %}
    {% do settings.update({
        'lowest': _superlative(settings.low) or 'lowest ' ~ settings.label,
        'highest': _superlative(settings.high) or 'highest ' ~ settings.label,
        'axis': settings.label[:1] | upper ~ settings.label[1:] ~ (' (' ~ settings.unit ~ ')' if settings.unit else ''),
    }) %}

    {% do _require_one_of('data_type of ' ~ feature.name, settings.data_type, ['double', 'integer', 'category', 'boolean'], block) %}
    {% do _require_one_of('transform of ' ~ feature.name, settings.transform, ['none', 'log1p', 'yeo-johnson'], block) %}
    {% do _require_one_of('missing of ' ~ feature.name, settings.missing, ['reject', 'median'], block) %}
    {% do _require_weight(feature.name, settings.weight, block) %}
    {% do settings.update(_way_of_writing(feature.name, feature, source, ['number', 'percent', 'accounting', 'yes_no'], block)) %}
    {% set bounds = settings.range %}
    {% if bounds is string or bounds is not sequence or bounds | length != 2
            or (bounds[0] is not none and not _is_number(bounds[0]))
            or (bounds[1] is not none and not _is_number(bounds[1]))
            or (bounds[0] is not none and bounds[1] is not none and bounds[0] >= bounds[1]) %}
        {% do configuration_error(
            'range of ' ~ feature.name ~ ': ' ~ _shown(bounds) ~ ' is not a lowest and a highest value, such as [0, 120] or [0, null]', block
        ) %}
    {% endif %}
    {% if settings.transform == 'log1p' and (bounds[0] is none or bounds[0] < 0) %}
        {% do configuration_error(
            'feature ' ~ feature.name ~ ': the transform log1p is for values of 0 or more; give it a range that starts at 0 or above', block
        ) %}
    {% endif %}
    {% do return(settings) %}
{% endmacro %}


{#-
    A feature whose values are levels, such as a region, or yes and no. The model has a column for each level, so there is no transform to choose and no range.
    Two customers of different levels are as far apart as `weight` standard deviations of a number: with 2, a yes or no that half of the customers have varies
    as much as a number does.
-#}
{% macro _configured_category(feature, block) %}
    {% set is_boolean = feature.data_type == 'boolean' %}
    {% set words = ['low', 'high'] if is_boolean else [] %}
    {% do _reject_unknown_settings(
        'feature ' ~ feature.name ~ ' of data_type ' ~ feature.data_type, feature,
        ['name', 'headers', 'data_type', 'description', 'label', 'weight', 'missing'] + words, block
    ) %}
    {% set column = {} %}
    {% for setting, value in feature.items() if setting not in ['weight', 'missing', 'low', 'high'] %}{% do column.update({setting: value}) %}{% endfor %}
    {% set settings = dict({'weight': 2, 'missing': 'reject'}, **feature) %}
    {% do settings.update(_configured_column(column, {}, block)) %}
    {% do _require_words(feature, words, block) %}
    {% do _require_one_of('missing of ' ~ feature.name, settings.missing, ['reject', 'level'], block) %}
    {% do _require_weight(feature.name, settings.weight, block) %}
    {% set first, rest = settings.label.split(' ')[0], settings.label.split(' ')[1:] | join(' ') %}
    {% set words_for_no_and_yes = {'has': ('without ' ~ rest, 'with ' ~ rest), 'is': ('not ' ~ rest, rest)}.get(first if rest, ('no ' ~ settings.label, settings.label)) %}
    {% do settings.update({
        'kind': 'flag' if is_boolean else 'category', 'transform': 'category', 'unit': '', 'range': [none, none],
        'low': settings.low or words_for_no_and_yes[0], 'high': settings.high or words_for_no_and_yes[1],
        'axis': settings.label[:1] | upper ~ settings.label[1:],
    }) %}
    {% do return(settings) %}
{% endmacro %}


{% macro _require_weight(name, weight, block) %}
    {% if not _is_number(weight) or not 0 < weight <= 100 %}
        {% do configuration_error('weight of ' ~ name ~ ': ' ~ _shown(weight) ~ ' is not a number above 0 and up to 100, such as 2', block) %}
    {% endif %}
{% endmacro %}


{#-
    How the values of a column are written, by its own settings and those of its source: {decimal_separator, thousands_separator, currency, format, as},
    each none where it is not declared, and may_ask: whether a build has to ask what 5.234 is. `formats` are those of numbers that it may have.
-#}
{% macro _way_of_writing(name, column, source, formats, block) %}
    {% set counted = column['as'] %}
    {% set format = column.format or ('iso' if counted else 'number') %}
    {% if counted %}
        {% do _require_one_of('as of ' ~ name, counted, ['days_since', 'age_years'], block) %}
        {% if format not in _formats_of_dates() %}
            {% do configuration_error(
                'feature ' ~ name ~ ': as: ' ~ counted ~ ' counts from a date, and format: ' ~ _shown(format) ~ ' is none; use ' ~ _formats_of_dates() | join(' or '), block
            ) %}
        {% endif %}
        {% if not fixed_reference_date() %}
            {% do configuration_error(
                'feature ' ~ name ~ ': as: ' ~ counted ~ " counts to a day, so that the same data give the same numbers on any day; give it as "
                ~ "reference_date: 2025-12-31 under vars:, or for one run with --vars '{reference_date: 2025-12-31}'", block
            ) %}
        {% endif %}
    {% elif format in _formats_of_dates() and 'yes_no' in formats %}
        {% do configuration_error(
            'feature ' ~ name ~ ': format: ' ~ format ~ ' is that of a date; say what number it gives, as: days_since or as: age_years', block
        ) %}
    {% else %}
        {% do _require_one_of('format of ' ~ name, format, formats, block) %}
    {% endif %}
    {% do _require_separators('', ' of ' ~ name, column, block) %}
    {% if column.currency and (column.currency is not string or modules.re.search('[0-9.,+() -]', column.currency)) %}
        {% do configuration_error('currency of ' ~ name ~ ': ' ~ _shown(column.currency) ~ ' is not the sign or code of a currency, such as "$" or EUR', block) %}
    {% endif %}
    {#- Who says one of the two for a column has both of them in mind. -#}
    {% set declared = column if column.decimal_separator or column.thousands_separator else source %}
    {% set decimal, thousands = declared.decimal_separator or none, declared.thousands_separator or none %}
    {% do return({
        'decimal_separator': decimal or {'.': ',', ',': '.'}.get(thousands), 'thousands_separator': thousands, 'currency': column.currency or none,
        'format': format, 'as': counted or none, 'may_ask': format != 'yes_no' and not counted and not decimal and not thousands
    }) %}
{% endmacro %}


{% macro _settings_of_numbers() %}{% do return(['decimal_separator', 'thousands_separator', 'currency']) %}{% endmacro %}


{% macro _formats_of_dates() %}{% do return(['iso', 'day-first', 'month-first', 'YYYYMMDD']) %}{% endmacro %}


{#- The two separators, where they are given. -#}
{% macro _require_separators(before, behind, settings, block) %}
    {% set decimal, thousands = settings.decimal_separator, settings.thousands_separator %}
    {% if decimal %}{% do _require_one_of(before ~ 'decimal_separator' ~ behind, decimal, ['.', ','], block) %}{% endif %}
    {% if thousands and thousands not in ['.', ',', ' ', "'"] %}
        {% do configuration_error(
            before ~ 'thousands_separator' ~ behind ~ ': ' ~ _shown(thousands) ~ ' is unknown; use "." or "," or " " (a space of any kind) or "\'" (an apostrophe)', block
        ) %}
    {% endif %}
    {% if decimal and decimal == thousands %}
        {% do configuration_error(before ~ 'decimal_separator' ~ behind ~ ': ' ~ decimal ~ ' is the thousands_separator, too; a number cannot be read so', block) %}
    {% endif %}
{% endmacro %}


{#- What stands where there is no value, besides nothing; case does not matter. Errors of a spreadsheet, such as #DIV/0!, are not among them. -#}
{% macro default_missing_words() %}
    {% do return([
        'NA', 'N/A', '#N/A', '#NV', '<NA>', 'n.a.', 'NaN', '-NaN', 'NULL', '(null)', '[null]', 'nil', 'None', 'missing', 'unknown', '\\N', '?', '-', '--', '---', '–', '—', '.', '…'
    ]) %}
{% endmacro %}


{#- The most of what a phrase says, by its first word: "most orders" for "many orders"; none where the word is not known. -#}
{% macro _superlative(phrase) %}
    {% set word = phrase.split(' ')[0] | lower %}
    {% set superlative = {
        'high': 'highest', 'low': 'lowest', 'many': 'most', 'few': 'fewest', 'much': 'most', 'little': 'least', 'large': 'largest', 'small': 'smallest',
        'big': 'biggest', 'young': 'youngest', 'younger': 'youngest', 'old': 'oldest', 'older': 'oldest', 'senior': 'most senior', 'new': 'newest',
        'recent': 'most recent', 'long': 'longest', 'short': 'shortest', 'often': 'most often', 'rarely': 'most rarely', 'frequent': 'most frequent',
        'rare': 'rarest', 'active': 'most active', 'loyal': 'most loyal', 'rich': 'richest', 'poor': 'poorest', 'expensive': 'most expensive',
        'cheap': 'cheapest'
    }[word] %}
    {% do return(superlative ~ phrase[word | length:] if superlative else none) %}
{% endmacro %}


{#- Columns that stand beside the configured ones in a table. -#}
{% macro _names_of_our_own() %}
    {% do return([
        'segment_id', 'segment_name', 'distance', 'runner_up_segment_id', 'runner_up_distance', 'confidence', 'is_outlier',
        'has_imputed_features', 'model_version', 'previous_segment_id', 'changed_at', 'n_customers', 'row_id', 'first_row_id', 'reasons',
        'previous_model_segment_id', 'last_segment_id', 'name_at_change', 'model_version_at_change', 'build_id', 'built_at',
        'source_file', 'is_blank', 'raw_record', 'unread_attributes', 'rowid', 'is_sampled'
    ]) %}
{% endmacro %}


{% macro _reject_unknown_settings(place, settings, known, block) %}
    {% if settings is not mapping %}
        {% do configuration_error(place ~ ': ' ~ settings ~ ' is not a list of settings; the settings here are ' ~ known | join(', '), block) %}
    {% endif %}
    {% for setting in settings if setting not in known %}
        {% do configuration_error(
            place ~ ': the setting ' ~ setting ~ ' is unknown; the settings here are ' ~ known | join(', '), block
        ) %}
    {% endfor %}
{% endmacro %}


{#- Settings of a column that are words, where they are given. -#}
{% macro _require_words(column, settings, block) %}
    {% for setting in settings if column[setting] is defined and column[setting] is not string %}
        {% do configuration_error(
            setting ~ ' of ' ~ column.name ~ ': ' ~ _shown(column[setting]) ~ ' is not a text; put it in quotes, or leave the setting out', block
        ) %}
    {% endfor %}
{% endmacro %}


{#- A whole number is as good as its text. -#}
{% macro _require_texts(place, values, block) %}
    {% if values is string or values is mapping or values is not iterable %}
        {% do configuration_error(place ~ ': ' ~ _shown(values) ~ ' is not a list, such as [' ~ _shown(values) ~ ']', block) %}
    {% endif %}
    {% for value in values if value is not string and value is not integer %}
        {% do configuration_error(place ~ ': ' ~ _shown(value) ~ ' is not a text; put it in quotes', block) %}
    {% endfor %}
{% endmacro %}


{#- Yes and no are numbers to Python, and so is NaN; a difference tells NaN and the infinities from others. -#}
{% macro _is_number(value) %}
    {% do return(value is number and value is not boolean and value - value == 0) %}
{% endmacro %}


{#- A value as YAML spells it. -#}
{% macro _shown(value) %}
    {% if value is none or value is boolean %}{% do return({none: 'null', true: 'true', false: 'false'}[value]) %}{% endif %}
    {% do return(value | string) %}
{% endmacro %}


{% macro _require_one_of(place, value, allowed, block) %}
    {% if value not in allowed %}
        {% do configuration_error(place ~ ': ' ~ _shown(value) ~ ' is unknown; use ' ~ allowed | join(' or '), block) %}
    {% endif %}
{% endmacro %}


{#- What a terminal would obey is shown in letters, such as \x1b. -#}
{% macro configuration_error(message, block) %}
    {% do exceptions.raise_compiler_error('dbt_project.yml, vars, ' ~ block ~ ': ' ~ (message if message.isprintable() else ('%r' % message)[1:-1]) ~ '.') %}
{% endmacro %}
