# FerretDB 1.24 reads a whole collection for every query on SQLite, though it keeps indexes. Here it
# looks FireWorks' jobs, launches and workflows up by their numbers; what is found is filtered as before.
/^	q += whereClause$/i\
	for _, key := range []string{"fw_id", "launch_id", "nodes", "launches"} {\
		if params.Filter.Len() == 0 {\
			break\
		}\
		number, _ := params.Filter.Get(key)\
		switch number.(type) {\
		case int32, int64:\
			column := fmt.Sprintf("%s->%q", metadata.DefaultColumn, key)\
			condition := column + " = CAST(? AS TEXT)"\
			if key == "nodes" || key == "launches" {\
				condition = "EXISTS (SELECT 1 FROM json_each(" + column + ") WHERE value = ?)"\
			}\
			if whereClause == "" {\
				whereClause = " WHERE " + condition\
			} else {\
				whereClause += " AND " + condition\
			}\
			args = append(args, number)\
		}\
	}\

