"""Plans: from a YAML file to checked, plain data.

In the order in which a file meets the parts:

1. ``yamlfile``    reads YAML to values with the place of every key and value; ``yamlnodes`` bounds what may hide in it.
2. ``read``        splits the document into its sections; ``findings`` collects complaints, each with its place.
3. ``parameters``  declarations; ``values`` fills them in from defaults, environment, files and the command line;
   ``patterns`` holds texts against regular expressions without ever taking long.
4. ``steps``       reads steps, decides `when`; ``check`` holds them against the types: names, references, rules.
   ``budget``      reads what all of it may cost.
5. ``speccheck``   holds one ``with`` against a Spec while references are still unknown; ``spectypes`` knows types.
6. ``model``       what comes out: Plan, StepDecl, Settings. Everybody above uses these and nothing else.
7. ``load``        start here: puts the parts together and raises every finding at once.
8. ``outline``     the plan as far as it is known before anything is made: references followed without a cloud.
   ``agreed``      waivers and applications: what people say about the plan, for those who check it.
9. ``schema``      the JSON Schema of all this, for editors.

Weakness: a YAML syntax error ends the reading of its file, so it is that file's only finding.
"""
