"""A formula in other languages, one small file a language: functions that are methods of `Formula`.

All of them compute the score that ``predict`` computes, to 1e-9 relative, from the table as it is: they
fill missing values and know levels themselves. A column name that occurs again gets a number there,
as ``age_2``. No name and no level of a table can become code.
"""
